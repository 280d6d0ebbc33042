/** Queues a prune: the gates a search ended with are fixed by a rule, the weights are trained again under them. */
import { z } from "zod";
import { engineNames } from "../../engine/engines.ts";
import { ConflictError } from "../../errors.ts";
import { backbonePlugin } from "../../plugin/registry.ts";
import { assertNotDeleted } from "../../store/notDeleted.ts";
import type { Run } from "../../store/rows.ts";
import { checkNumbers } from "./completeHyperParameters.ts";
import type { Installation } from "../installation.ts";
import { parseInput, withoutNulls } from "../parseInput.ts";
import { plannedPrune, retrainInput, retrainNumbers } from "./plannedPrune.ts";
import { completePruneRule, pruneRuleInput } from "./pruneRuleInput.ts";
import { budget, seed, usableEngine } from "./runSettings.ts";
import { engineOf, gatesOf, hyperParametersOf, manifestOf, presetOf } from "../stored.ts";
import { withField } from "../withField.ts";

const pruneInput = z.strictObject({
  run: z.string(),
  ...pruneRuleInput,
  retrain: retrainInput.default({}),
  seed: seed.exactOptional(),
  engine: z.enum(engineNames).exactOptional(),
  budget: budget.exactOptional(),
});

/**
 * Writes the run (QUEUED) and its job. Throws InvalidInputError with the path of what is wrong, NotFoundError for the
 * search run or its plugin, ConflictError for a run that is no search, has not SUCCEEDED or is deleted, UnavailableError for the engine.
 */
export async function pruneModel({ store, plugins }: Installation, input: unknown): Promise<Run> {
  const { run: id, retrain, seed, engine, budget, ...given } = parseInput(pruneInput, withoutNulls(input), "input");
  const search = await prunableSearch({ store, plugins }, id);
  const rule = completePruneRule(given, gatesOf(search), "input");
  const preset = presetOf(search) ?? "RECOMMENDED";
  const numbers = retrainNumbers(hyperParametersOf(search), preset, retrain, "input.retrain");
  const dataset = await store.datasets.get(search.datasetId);
  assertNotDeleted(dataset, "dataset", "input.run");
  checkNumbers(numbers, manifestOf(dataset)!.shape, "input.retrain");
  const settings = {
    rule,
    hyperParameters: numbers,
    seed: seed ?? search.seed,
    engine: usableEngine(engine ?? engineOf(search), "input.engine"),
    ...(budget ? { budget } : {}),
  };
  return store.runs.create(plannedPrune(search, settings));
}

/** Throws as `pruneModel` does where there is no such search, or it cannot be pruned any more. */
export async function prunableSearch({ store, plugins }: Pick<Installation, "store" | "plugins">, id: string) {
  const search = await withField({ id: "input.run" }, () => store.runs.get(id));
  assertPrunable(search);
  assertNotDeleted(search, "run", "input.run");
  await withField({ "backbone.name": "input.run" }, async () => backbonePlugin(plugins, search.backboneName));
  return search;
}

function assertPrunable({ id, kind, state }: Run): void {
  if (kind === "SEARCH" && state === "SUCCEEDED") return;
  const expected = "a SEARCH run in state SUCCEEDED";
  throw new ConflictError(`input.run: expected ${expected}, but ${id} is a ${kind} run in state ${state}`, {
    field: "input.run",
    expected,
    received: `${kind}, ${state}`,
  });
}
