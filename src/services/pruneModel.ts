/** Queues a prune: the gates a search ended with are fixed, the weights are trained again under them. */
import { z } from "zod";
import { engineNames } from "../engine/engines.ts";
import { ConflictError } from "../errors.ts";
import { backbonePlugin } from "../plugin/registry.ts";
import type { Run } from "../store/rows.ts";
import { hyperParameters, retrainDefaults } from "../training/hyperParameters.ts";
import type { Installation } from "./installation.ts";
import { parseInput, withoutNulls } from "./parseInput.ts";
import { seed, usableEngine } from "./runSettings.ts";
import { engineOf, hyperParametersOf, presetOf } from "./stored.ts";
import { withField } from "./withField.ts";

/** All but what the search has fixed: the width of the embeddings and the search itself. */
const retrain = hyperParameters.omit({ embeddingDim: true, search: true }).strict().partial();

const pruneInput = z.strictObject({
  run: z.string(),
  threshold: z.number().gt(0).lt(1),
  retrain: retrain.default({}),
  seed: seed.optional(),
  engine: z.enum(engineNames).optional(),
});

/**
 * Writes the run (QUEUED) and its job. Throws InvalidInputError with the path of what is wrong, NotFoundError for the
 * search run or its plugin, ConflictError for a run that is no search or has not SUCCEEDED, UnavailableError for the engine.
 */
export async function pruneModel({ store, plugins }: Installation, input: unknown): Promise<Run> {
  const given = parseInput(pruneInput, withoutNulls(input), "input");
  const search = await withField({ id: "input.run" }, () => store.runs.get(given.run));
  assertPrunable(search);
  await withField({ "backbone.name": "input.run" }, async () => backbonePlugin(plugins, search.backboneName));
  return store.runs.create({
    kind: "PRUNE",
    datasetId: search.datasetId,
    parentRunId: search.id,
    backboneName: search.backboneName,
    backboneConfig: search.backboneConfig,
    head: search.head,
    hyperParameters: {
      ...hyperParametersOf(search),
      ...retrainDefaults(presetOf(search) ?? "RECOMMENDED"),
      ...given.retrain,
    },
    ...(search.preset === null ? {} : { preset: search.preset }),
    seed: given.seed ?? search.seed,
    engine: usableEngine(given.engine ?? engineOf(search), "input.engine"),
    pruneThreshold: given.threshold,
  });
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
