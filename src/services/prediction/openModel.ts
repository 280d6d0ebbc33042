/** Opens the model of a run that has ended: its checkpoint, and the transform of the dataset it was trained on. */
import { createHash } from "node:crypto";
import { transformFromJson } from "../../data/transform.ts";
import type { Transform } from "../../data/transform.ts";
import type { Engine } from "../../engine/engine.ts";
import { createEngine, defaultEngine } from "../../engine/engines.ts";
import { ConflictError, NotFoundError } from "../../errors.ts";
import { readLargeFile, slicesOf } from "../../largeFile.ts";
import { decodeCheckpoint } from "../../model/checkpoint.ts";
import type { Checkpoint } from "../../model/checkpoint.ts";
import type { BackbonePlugin } from "../../plugin/contract.ts";
import { backbonePlugin } from "../../plugin/registry.ts";
import { createScorer } from "../../serving/predictor.ts";
import type { PredictionRows, Predictions } from "../../serving/predictor.ts";
import { loadServable } from "../../serving/servable.ts";
import type { Run } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import { modelArraysOf } from "../../training/trainingState.ts";
import { manifestOf } from "../stored.ts";
import type { ModelFacts, ModelFiles, StoredFile } from "./poolMessages.ts";

export interface OpenModel {
  readonly facts: ModelFacts;
  readonly transform: Transform;
  /** About what it holds in memory now. */
  bytes(): number;
  /** Probabilities [rows, tasks]. */
  predict(rows: PredictionRows): Promise<Float32Array>;
  /** With partial logits and gates where the head is AUTOIFS; loads the unfolded model when it is first asked. */
  explain(rows: PredictionRows): Promise<Predictions>;
  release(): Promise<void>;
}

export interface OpenOptions {
  /** Threads of one run of the graph; default: one per core. */
  readonly threads?: number;
}

/** Throws ConflictError for a run without a model. */
export async function modelFilesOf({ datasets, artifacts }: Store, run: Run): Promise<ModelFiles> {
  const manifest = manifestOf(await datasets.get(run.datasetId));
  if (!manifest || !run.checkpointHash) {
    throw new ConflictError(`run ${run.id}: expected a run with a model, but it is ${run.state}`);
  }
  const stored = (sha256: string): StoredFile => ({ path: artifacts.path(sha256), sha256 });
  return {
    transform: stored(manifest.files["transform.json"].sha256),
    checkpoint: stored(run.checkpointHash),
    backbone: run.backboneName,
  };
}

/** Throws NotFoundError where its backbone is not installed any more or a file is gone, an Error where one is damaged. */
export async function openModel(
  files: ModelFiles,
  plugins: ReadonlyMap<string, BackbonePlugin>,
  options: OpenOptions = {},
): Promise<OpenModel> {
  const plugin = backbonePlugin(plugins, files.backbone);
  const text = await readStored(files.transform);
  const transform = transformFromJson(JSON.parse(Buffer.from(text).toString("utf8")));
  const checkpoint = await readCheckpoint(files.checkpoint);
  const { shape, gateRule } = checkpoint;
  const servable = await loadServable(checkpoint, plugin, options);
  const loadExplainer = async (): Promise<Explainer> =>
    openExplainer(await readCheckpoint(files.checkpoint), plugin, options);
  let explainer: Promise<Explainer> | undefined;
  let bytes = servable.bytes + bytesOf(transform, text.length);

  return {
    facts: {
      scenarios: shape.scenarios,
      tasks: shape.tasks,
      ...(shape.conditions ? { conditions: shape.conditions } : {}),
      columns: transform.toJSON().fields.map(({ column }) => column),
    },
    transform,
    bytes: () => bytes,
    predict: (rows) => servable.predict(rows),
    async explain(rows) {
      if (!gateRule) return { probabilities: await servable.predict(rows) };
      if (!explainer) {
        explainer = loadExplainer();
        // A file that could not be read is tried again by whoever asks next.
        explainer.catch(() => (explainer = undefined));
        bytes += (await explainer).bytes;
      }
      return (await explainer).explain(rows);
    },
    async release() {
      await servable.release();
      await (await explainer?.catch(() => undefined))?.release();
    },
  };
}

interface Explainer {
  readonly bytes: number;
  explain(rows: PredictionRows): Promise<Predictions>;
  release(): Promise<void>;
}

async function openExplainer(checkpoint: Checkpoint, plugin: BackbonePlugin, options: OpenOptions): Promise<Explainer> {
  const engine = await createEngine(defaultEngine);
  const compile: Engine["compile"] = (fn, inputs) => engine.compile(fn, inputs, options);
  const scorer = await createScorer({ ...engine, compile }, plugin, checkpoint);
  return {
    bytes: Object.values(checkpoint.arrays).reduce((sum, { values }) => sum + values.byteLength, 0),
    explain: (rows) => scorer.predict(checkpoint.arrays, rows, checkpoint.gateRule),
    release: () => scorer.release(),
  };
}

async function readCheckpoint(file: StoredFile): Promise<Checkpoint> {
  const checkpoint = decodeCheckpoint(await readStored(file));
  // That of a run that was broken off also holds what it would take to go on.
  return { ...checkpoint, arrays: modelArraysOf(checkpoint.arrays) };
}

/** The texts of a vocabulary, and its map from text to id, which takes some 80 bytes a value. */
function bytesOf({ toJSON }: Transform, textBytes: number): number {
  return 2 * textBytes + toJSON().fields.reduce((sum, { values }) => sum + 80 * values.length, 0);
}

async function readStored({ path, sha256 }: StoredFile): Promise<Uint8Array> {
  const bytes = await readLargeFile(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const detail = { field: "hash", received: sha256 };
    throw new NotFoundError(`artifact ${sha256}: expected a file in the artifacts folder, but there is none`, detail);
  });
  const hash = createHash("sha256");
  for (const slice of slicesOf(bytes)) hash.update(slice);
  if (hash.digest("hex") === sha256) return bytes;
  throw new Error(
    `artifact ${sha256}: the file is damaged: expected this sha256, but the content has another (${path})`,
  );
}
