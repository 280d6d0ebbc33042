/**
 * The work of a model export: writes the file, runs it in a fresh session of the library it is for, and keeps it where it answers as
 * the model does.
 */
import { readSplit } from "../../data/arrowFiles.ts";
import { rowsOfCell } from "../../data/onlyCell.ts";
import type { TransformJson } from "../../data/transform.ts";
import type { SplitRows } from "../../data/spec.ts";
import { ConflictError } from "../../errors.ts";
import type { JobContext } from "../../jobs/workQueue.ts";
import { decodeCheckpoint } from "../../model/checkpoint.ts";
import type { Checkpoint } from "../../model/checkpoint.ts";
import { backbonePlugin } from "../../plugin/registry.ts";
import { exportedFunction } from "../../serving/exportedFunction.ts";
import { bytesOf } from "../../serving/frozenModel.ts";
import { loadPredictor } from "../../serving/predictor.ts";
import { quantisedCheckpoint } from "../../serving/quantisedCheckpoint.ts";
import type { ClaimedJob, ModelExport, Run } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import { modelArraysOf } from "../../training/trainingState.ts";
import type { Installation } from "../installation.ts";
import { cellOf, manifestOf } from "../stored.ts";
import type { ExportRecord } from "./exportRecord.ts";
import { changesOfCells, differences } from "./measureExport.ts";
import { vocabularyJson } from "./vocabulary.ts";

/** |Δp| that rounding may make of the same model. */
const tolerance = 1e-5;
/** Bytes of a file: protobuf ends at 2 GiB. */
const largest = 1.9e9;

/** Ends it as SUCCEEDED; what it throws ends it as FAILED, except where the worker is asked to stop: then it begins again. */
export async function exportModelJob(
  { store, plugins }: Pick<Installation, "store" | "plugins">,
  job: ClaimedJob,
  { lost, stopping }: Pick<JobContext, "lost" | "stopping">,
): Promise<void> {
  await store.artifacts.sweep();
  const wanted = await store.modelExports.get(job.subjectId);
  const run = await store.runs.get(wanted.runId);
  const plugin = backbonePlugin(plugins, run.backboneName);
  const { checkpoint, transform, rows } = await sourceOf(store, run);
  const { shape } = checkpoint;
  const only = wanted.scenario === null ? undefined : shape.scenarios.indexOf(wanted.scenario);
  const { isQuantised } = wanted;
  const model = exportedFunction(checkpoint, plugin, { only, isQuantised });
  const named = { shape, scenario: wanted.scenario, run: run.id, dataset: run.datasetId };
  const vocabulary = vocabularyJson({ transform, ...named });
  assertFits(bytesOf(model.constants) + Buffer.byteLength(vocabulary));

  const { writers } = await import("./writtenModel.ts");
  const written = writers[wanted.format](model, { name: wanted.id, description: descriptionOf(wanted), vocabulary });
  const trained = await loadPredictor(checkpoint, plugin);
  const rounded = isQuantised ? await loadPredictor(quantisedCheckpoint(checkpoint), plugin) : undefined;
  const file = await written.open();
  try {
    const measured = { checkpoint, only, rows, stop: AbortSignal.any([lost, stopping]) };
    const models = rounded ? [trained, rounded] : [trained];
    const { checkedRows, maxDifferences } = await differences(measured, file, models);
    const maxDifference = maxDifferences[0]!;
    assertSame(maxDifferences.at(-1)!);
    const cells = rounded ? await changesOfCells(measured, trained, rounded) : [];
    const record: ExportRecord = { checkedRows, maxDifference, tableBytes: model.tableBytes, cells };
    const { hash: artifactHash } = await store.artifacts.put(written.bytes, "model-export");
    await store.modelExports.succeed(job, { artifactHash, record });
  } finally {
    await file.release();
    await rounded?.release();
    await trained.release();
  }
}

interface Source {
  readonly checkpoint: Checkpoint;
  readonly transform: TransformJson;
  /** The test split, of a run on one cell its rows of that. */
  readonly rows: SplitRows;
}

async function sourceOf({ artifacts, datasets }: Store, run: Run): Promise<Source> {
  const { files, shape } = manifestOf(await datasets.get(run.datasetId))!;
  const stored = decodeCheckpoint(await artifacts.read(run.checkpointHash!));
  const text = Buffer.from(await artifacts.read(files["transform.json"].sha256)).toString("utf8");
  const test = files["test.arrow"].sha256;
  await artifacts.verify(test);
  const rows = await readSplit(artifacts.path(test));
  const cell = cellOf(run);
  return {
    // That of a run that was broken off also holds what it would take to go on.
    checkpoint: { ...stored, arrays: modelArraysOf(stored.arrays) },
    transform: JSON.parse(text) as TransformJson,
    rows: cell ? rowsOfCell(rows, shape, cell) : rows,
  };
}

function descriptionOf({ runId, scenario, isQuantised }: ModelExport): string {
  const of = scenario === null ? "all its scenarios" : `the scenario ${scenario}`;
  const tables = isQuantised ? ", with embedding tables of one byte per number" : "";
  return `Model of the run ${runId} for ${of}${tables}: from the ids of rows to the probabilities of its tasks.`;
}

function assertFits(bytes: number): void {
  if (bytes <= largest) return;
  const expected = `at most ${largest} bytes, which is what such a file can hold`;
  throw new ConflictError(`run: expected a model of ${expected}, but it has ${bytes}`, {
    field: "run",
    expected,
    received: String(bytes),
    hint: "quantised tables take about a quarter of the room",
  });
}

function assertSame(maxDifference: number): void {
  if (maxDifference <= tolerance) return;
  const expected = `probabilities that differ from the model's by at most ${tolerance}`;
  throw new ConflictError(`file: expected ${expected}, but they differ by ${maxDifference}`, {
    field: "file",
    expected,
    received: String(maxDifference),
    hint: "export it in the other format, and report this as a fault",
  });
}
