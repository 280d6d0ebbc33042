/** Queues a run again from its record, to see whether the same comes out. */
import { access } from "node:fs/promises";
import { z } from "zod";
import { datasetFiles } from "../../data/manifest.ts";
import { ConflictError } from "../../errors.ts";
import { backbonePlugin } from "../../plugin/registry.ts";
import { assertNotDeleted } from "../../store/notDeleted.ts";
import type { Dataset, Run } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import type { Installation } from "../installation.ts";
import { parseInput } from "../parseInput.ts";
import { usableEngine } from "./runSettings.ts";
import { budgetOf, engineOf, manifestOf } from "../stored.ts";
import { withField } from "../withField.ts";

/**
 * Writes the replay (QUEUED) and its job; it belongs to no experiment, and of a budget only the epochs count. Throws
 * InvalidInputError, NotFoundError for the run or its plugin, UnavailableError for its engine, ConflictError for a run
 * that has not SUCCEEDED, that time has ended, or whose dataset or search has lost its files; and where one of them is deleted.
 */
export async function replayRun({ store, plugins }: Installation, input: unknown): Promise<Run> {
  const { run: id } = parseInput(z.strictObject({ run: z.string() }), input, "input");
  const run = await withField({ id: "input.run" }, () => store.runs.get(id));
  assertRepeatable(run);
  assertNotDeleted(run, "run", "input.run");
  await withField({ "backbone.name": "input.run" }, async () => backbonePlugin(plugins, run.backboneName));
  const engine = usableEngine(engineOf(run), "input.run");
  const dataset = await store.datasets.get(run.datasetId);
  assertNotDeleted(dataset, "dataset", "input.run");
  await assertFilesAreThere(store, dataset);
  if (run.parentRunId !== null) {
    const search = await store.runs.get(run.parentRunId);
    assertNotDeleted(search, "search", "input.run");
    await assertFileIsThere(store, search.checkpointHash!, `the checkpoint of the search ${run.parentRunId}`);
  }
  const { kind, datasetId, parentRunId, backboneName, backboneConfig, head, hyperParameters } = run;
  const { preset, seed, pruneThreshold, pruneRule, cell, configurationHash } = run;
  const epochs = budgetOf(run)?.epochs;
  return store.runs.create({
    kind,
    datasetId,
    backboneName,
    backboneConfig,
    head,
    hyperParameters,
    seed,
    engine,
    configurationHash,
    replayOfRunId: run.id,
    ...(parentRunId === null ? {} : { parentRunId }),
    ...(preset === null ? {} : { preset }),
    ...(pruneThreshold === null ? {} : { pruneThreshold }),
    ...(pruneRule === null ? {} : { pruneRule }),
    ...(cell === null ? {} : { cell }),
    ...(epochs === undefined ? {} : { budget: { epochs } }),
  });
}

function assertRepeatable({ id, state, stopReason }: Run): void {
  if (state !== "SUCCEEDED") throw conflict("a run in state SUCCEEDED", state, `${id} is ${state}`);
  if (stopReason !== "BUDGET_SECONDS") return;
  const but = `the time of ${id} was up, and how far it came by then is the machine's speed`;
  throw conflict("a run that ended by its own rules", stopReason, but, "give its budget in epochs");
}

async function assertFilesAreThere(store: Store, dataset: Dataset): Promise<void> {
  for (const name of datasetFiles) {
    await assertFileIsThere(store, manifestOf(dataset)!.files[name].sha256, `${name} of the dataset ${dataset.id}`);
  }
}

/** What is in it is checked by the worker. */
async function assertFileIsThere({ artifacts }: Store, hash: string, what: string): Promise<void> {
  await access(artifacts.path(hash)).catch(() => {
    throw conflict("a run whose files are kept", "a file that is gone", `${what} is gone`);
  });
}

function conflict(expected: string, received: string, but: string, hint?: string): ConflictError {
  const detail = { field: "input.run", expected, received, ...(hint === undefined ? {} : { hint }) };
  return new ConflictError(`input.run: expected ${expected}, but ${but}`, detail);
}
