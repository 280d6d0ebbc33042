/** Queues an extension: new scenarios or tasks on a pruned model, of which nothing else is changed. */
import { z } from "zod";
import type { DatasetManifest } from "../../data/manifest.ts";
import { engineNames } from "../../engine/engines.ts";
import { ConflictError } from "../../errors.ts";
import { backbonePlugin } from "../../plugin/registry.ts";
import { assertNotDeleted } from "../../store/notDeleted.ts";
import type { Dataset, Run } from "../../store/rows.ts";
import type { HyperParameters } from "../../training/hyperParameters.ts";
import { equalLosses } from "../../training/lossBalancing/lossBalancing.ts";
import { readyDataset } from "../dataset/readyDataset.ts";
import type { Installation } from "../installation.ts";
import { parseInput, refusal, shown, withoutNulls } from "../parseInput.ts";
import { engineOf, hyperParametersOf, manifestOf, specOf } from "../stored.ts";
import { withField } from "../withField.ts";
import { checkLossBalancing, checkSelection, completeSelection } from "./completeHyperParameters.ts";
import { configurationHash } from "./configurationHash.ts";
import { retrainInput } from "./plannedPrune.ts";
import { budget, seed, usableEngine } from "./runSettings.ts";

const extendInput = z.strictObject({
  run: z.string(),
  dataset: z.string(),
  hyperParameters: retrainInput.default({}),
  seed: seed.exactOptional(),
  engine: z.enum(engineNames).exactOptional(),
  budget: budget.exactOptional(),
});

/**
 * Writes the run (QUEUED) and its job. Throws InvalidInputError with the path of what is wrong, NotFoundError for the
 * run, its plugin or the dataset, ConflictError for a run that is not a pruned model on all cells in state SUCCEEDED, or
 * a dataset that is not the model's vocabulary with something behind its scenarios or its tasks, UnavailableError for
 * the engine. That the backbone can grow is found by the run.
 */
export async function extendModel({ store, plugins }: Installation, input: unknown): Promise<Run> {
  const { hyperParameters: given, ...asked } = parseInput(extendInput, withoutNulls(input), "input");
  const base = await withField({ id: "input.run" }, () => store.runs.get(asked.run));
  assertExtendable(base);
  assertNotDeleted(base, "run", "input.run");
  await withField({ "backbone.name": "input.run" }, async () => backbonePlugin(plugins, base.backboneName));
  const dataset = await readyDataset({ store }, asked.dataset, "input.dataset");
  const before = await store.datasets.get(base.datasetId);
  checkGrowth(before, dataset);
  const numbers = extensionNumbers(base, given);
  const { shape } = manifestOf(dataset)!;
  checkSelection(numbers.selection, shape, "input.hyperParameters.selection");
  checkLossBalancing(numbers, trainedTasks(before, dataset), "input.hyperParameters");
  const run = {
    kind: "EXTEND" as const,
    datasetId: dataset.id,
    parentRunId: base.id,
    backboneName: base.backboneName,
    backboneConfig: base.backboneConfig,
    head: base.head,
    hyperParameters: numbers,
    ...(base.preset === null ? {} : { preset: base.preset }),
    seed: asked.seed ?? base.seed,
    engine: usableEngine(asked.engine ?? engineOf(base), "input.engine"),
    ...(asked.budget ? { budget: asked.budget } : {}),
  };
  return store.runs.create({ ...run, configurationHash: configurationHash(run, base) });
}

export interface RunExtension {
  readonly scenarioKeys: string[];
  readonly taskKeys: string[];
}

/** What an extension trains for: scenarios or tasks that its dataset has behind those of the run it extends. */
export function addedKeys(before: Dataset, after: Dataset): RunExtension {
  const [old, now] = [keysOf(before), keysOf(after)];
  return { scenarioKeys: now.scenarios.slice(old.scenarios.length), taskKeys: now.tasks.slice(old.tasks.length) };
}

/** New tasks are trained alone; of new scenarios all tasks. */
function trainedTasks(before: Dataset, after: Dataset): readonly string[] {
  const { taskKeys } = addedKeys(before, after);
  return taskKeys.length > 0 ? taskKeys : keysOf(after).tasks;
}

/**
 * The selection of the base may weigh old cells alone, and only new ones are scored here; what the losses of its tasks
 * weighed says nothing of other tasks, or of the same ones in other scenarios.
 */
function extensionNumbers(base: Run, given: z.output<typeof retrainInput>): HyperParameters {
  const numbers = hyperParametersOf(base);
  const mean = { ...numbers.selection, over: "MEAN" as const, weights: [] };
  const first = numbers.selection.over === "WEIGHTED" ? mean : numbers.selection;
  const selection = completeSelection(first, given.selection, "input.hyperParameters.selection");
  return { ...numbers, lossBalancing: equalLosses, ...given, selection };
}

function assertExtendable({ id, kind, state, cell }: Run): void {
  if ((kind === "PRUNE" || kind === "EXTEND") && state === "SUCCEEDED" && cell === null) return;
  const expected = "a PRUNE or EXTEND run in state SUCCEEDED, on all cells";
  throw new ConflictError(`input.run: expected ${expected}, but ${id} is a ${kind} run in state ${state}`, {
    field: "input.run",
    expected,
    received: `${kind}, ${state}`,
    ...(kind === "SEARCH" ? { hint: "prune it first" } : {}),
  });
}

function checkGrowth(before: Dataset, after: Dataset): void {
  const field = "input.dataset";
  if (vocabularyOf(before) !== vocabularyOf(after)) {
    const expected = `a dataset with the vocabulary of ${before.id}`;
    throw new ConflictError(`${field}: expected ${expected}, but ${after.id} has another`, {
      field,
      expected,
      received: after.id,
      hint: `register the file with \`vocabularyOf: ${JSON.stringify(before.id)}\``,
    });
  }
  const [old, now] = [keysOf(before), keysOf(after)];
  for (const what of ["scenarios", "tasks"] as const) {
    const astray = old[what].findIndex((key, index) => now[what][index] !== key);
    if (astray < 0) continue;
    const expected = `the ${what} ${old[what].join(", ")} first, in this order`;
    throw refusal(field, expected, now[what].join(", "));
  }
  const { scenarioKeys, taskKeys } = addedKeys(before, after);
  if (scenarioKeys.length > 0 === taskKeys.length > 0) {
    const received = scenarioKeys.length > 0 ? `both: ${[...scenarioKeys, ...taskKeys].join(", ")}` : "none";
    throw refusal(field, "new scenarios or new tasks behind those of the run", received);
  }
  for (const scenario of scenarioKeys) checkRows(manifestOf(after)!, scenario);
}

/** Without validation rows nothing would tell when to stop. */
function checkRows({ cells }: DatasetManifest, scenario: string): void {
  for (const split of ["train", "validation"] as const) {
    const has = cells.some((cell) => cell.split === split && cell.scenario === scenario && cell.rows > 0);
    if (!has)
      throw refusal("input.dataset", `${split === "train" ? "training" : split} rows of ${shown(scenario)}`, "none");
  }
}

function keysOf(dataset: Dataset): { readonly scenarios: string[]; readonly tasks: string[] } {
  const { scenario, labels } = specOf(dataset);
  return { scenarios: scenario.values.map((value) => value.scenario), tasks: labels.map(({ task }) => task) };
}

/** The dataset whose values have the ids. */
function vocabularyOf(dataset: Dataset): string {
  return specOf(dataset).vocabularyOf ?? dataset.id;
}
