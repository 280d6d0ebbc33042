/** Queues the training of a new model: a search for an AUTOIFS head, a plain training for TOWERS. */
import { z } from "zod";
import type { NewRun } from "../../store/queueRun.ts";
import type { Run } from "../../store/rows.ts";
import { checkNumbers } from "./completeHyperParameters.ts";
import { configurationHash } from "./configurationHash.ts";
import type { Installation } from "../installation.ts";
import { parseInput, withoutNulls } from "../parseInput.ts";
import { modelInput, plannedModel } from "./plannedModel.ts";
import { readyDataset } from "../dataset/readyDataset.ts";
import { budget, seed } from "./runSettings.ts";
import { manifestOf } from "../stored.ts";

const trainInput = z.strictObject({ ...modelInput, dataset: z.string(), seed, budget: budget.exactOptional() });

/** Writes the run (QUEUED) and its job. Throws as `plannedTraining`. */
export async function trainModel(installation: Installation, input: { backbone: object }): Promise<Run> {
  return installation.store.runs.create(await plannedTraining(installation, input));
}

/**
 * The run that the input asks for, checked completely; nothing is written. Throws InvalidInputError with the path of
 * what is wrong, NotFoundError for the dataset or plugin, ConflictError for a dataset that is not READY,
 * UnavailableError for the engine.
 */
export async function plannedTraining({ store, plugins }: Installation, input: { backbone: object }): Promise<NewRun> {
  // The configuration is the caller's JSON, in which a null is a null.
  const { backbone, ...rest } = input;
  const { dataset: datasetId, ...parsed } = parseInput(
    trainInput,
    { ...(withoutNulls(rest) as object), backbone },
    "input",
  );
  const model = plannedModel(plugins, parsed, "input");
  const dataset = await readyDataset({ store }, datasetId, "input.dataset");
  checkNumbers(model.hyperParameters, manifestOf(dataset)!.shape, "input.hyperParameters");
  const run = {
    ...model,
    datasetId,
    seed: parsed.seed,
    ...(parsed.budget ? { budget: parsed.budget } : {}),
  };
  return { ...run, configurationHash: configurationHash(run) };
}
