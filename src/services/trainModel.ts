/** Queues the training of a new model: a search for an AUTOIFS head, a plain training for TOWERS. */
import { z } from "zod";
import { defaultEngine, engineNames } from "../engine/engines.ts";
import { ConflictError } from "../errors.ts";
import { backbonePlugin } from "../plugin/registry.ts";
import type { Dataset, Run } from "../store/rows.ts";
import { presets } from "../training/hyperParameters.ts";
import { completeHyperParameters, hyperParametersInput } from "./completeHyperParameters.ts";
import { headInput } from "./headInput.ts";
import type { Installation } from "./installation.ts";
import { parseInput, withoutNulls } from "./parseInput.ts";
import { seed, usableEngine } from "./runSettings.ts";
import { withField } from "./withField.ts";

const trainInput = z.strictObject({
  dataset: z.string(),
  backbone: z.strictObject({ plugin: z.string(), config: z.unknown() }),
  head: headInput,
  preset: z.enum(presets),
  hyperParameters: hyperParametersInput.default({}),
  seed,
  engine: z.enum(engineNames).default(defaultEngine),
});

/**
 * Writes the run (QUEUED) and its job. Throws InvalidInputError with the path of what is wrong, NotFoundError for the
 * dataset or plugin, ConflictError for a dataset that is not READY, UnavailableError for the engine.
 */
export async function trainModel({ store, plugins }: Installation, input: { backbone: object }): Promise<Run> {
  // The configuration is the caller's JSON, in which a null is a null.
  const { backbone, ...rest } = input;
  const parsed = parseInput(trainInput, { ...(withoutNulls(rest) as object), backbone }, "input");
  const plugin = await withField({ "backbone.name": "input.backbone.plugin" }, async () =>
    backbonePlugin(plugins, parsed.backbone.plugin),
  );
  const config = parseInput(plugin.config, parsed.backbone.config, "input.backbone.config");
  const numbers = completeHyperParameters(parsed.preset, parsed.head, parsed.hyperParameters);
  const engine = usableEngine(parsed.engine, "input.engine");
  const dataset = await withField({ id: "input.dataset" }, () => store.datasets.get(parsed.dataset));
  assertReady(dataset);
  return store.runs.create({
    kind: parsed.head.kind === "AUTOIFS" ? "SEARCH" : "TRAIN",
    datasetId: dataset.id,
    backboneName: plugin.name,
    backboneConfig: config,
    head: parsed.head,
    hyperParameters: numbers,
    preset: parsed.preset,
    seed: parsed.seed,
    engine,
  });
}

function assertReady({ id, status }: Dataset): void {
  if (status === "READY") return;
  throw new ConflictError(`input.dataset: expected a dataset in status READY, but ${id} is ${status}`, {
    field: "input.dataset",
    expected: "a dataset in status READY",
    received: status,
    ...(status === "IMPORTING" ? { hint: "wait until its import has ended" } : {}),
  });
}
