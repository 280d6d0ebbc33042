/** The numbers of a training as a caller gives them: any of them, the rest from a preset. */
import { z } from "zod";
import type { DatasetShape } from "../../data/spec.ts";
import type { HeadSpec } from "../../model/spec.ts";
import {
  defaultGates,
  defaultHyperParameters,
  gateLearningRateFor,
  hyperParameters,
  selectionParameters,
} from "../../training/hyperParameters.ts";
import type { HyperParameters, Preset, Selection } from "../../training/hyperParameters.ts";
import { refusal, shown } from "../parseInput.ts";

export const selectionInput = z.strictObject(selectionParameters.shape).partial();

export const hyperParametersInput = z
  .strictObject({
    ...hyperParameters.shape,
    search: z.strictObject(hyperParameters.shape.search.shape).partial(),
    selection: selectionInput,
  })
  .partial();

export type HyperParametersInput = z.infer<typeof hyperParametersInput>;

/**
 * The preset's numbers with the caller's in their place. Throws InvalidInputError where they do not go together; `field`
 * is where they stand in the request.
 */
export function completeHyperParameters(
  preset: Preset,
  head: HeadSpec,
  given: HyperParametersInput,
  field = "input.hyperParameters",
): HyperParameters {
  if (head.kind === "TOWERS" && given.search) {
    throw refusal(`${field}.search`, "nothing, as head TOWERS has no search", "an object");
  }
  const gates = head.kind === "AUTOIFS" ? head.gates : defaultGates(preset);
  const base = defaultHyperParameters(preset, gates);
  const search = { ...base.search, ...given.search };
  // A shorter search than the preset's must not be refused for a rewind nobody asked for.
  const rewindEpoch = given.search?.rewindEpoch ?? Math.min(search.rewindEpoch, search.epochs - 1);
  if (rewindEpoch >= search.epochs) {
    const expected = `below the ${search.epochs} epochs of the search`;
    throw refusal(`${field}.search.rewindEpoch`, expected, String(rewindEpoch));
  }
  const learningRate = given.learningRate ?? base.learningRate;
  const gateLearningRate = given.search?.gateLearningRate ?? gateLearningRateFor(preset, gates, learningRate);
  const selection = completeSelection(base.selection, given.selection, `${field}.selection`);
  return { ...base, ...given, selection, search: { ...search, rewindEpoch, gateLearningRate } };
}

/** Throws InvalidInputError where weights are missing, or there for nothing. */
export function completeSelection(base: Selection, given: Partial<Selection> | undefined, field: string): Selection {
  const selection = { ...base, ...given };
  const isWeighted = selection.over === "WEIGHTED";
  if (isWeighted === selection.weights.length > 0) return selection;
  if (!isWeighted && given?.weights === undefined) return { ...selection, weights: [] };
  const expected = isWeighted ? "the weight of at least one cell" : `none, as \`over\` is ${selection.over}`;
  throw refusal(`${field}.weights`, expected, `${selection.weights.length} of them`);
}

/** Throws InvalidInputError as the two below; `field` is where the numbers stand in the request. */
export function checkNumbers(numbers: HyperParameters, shape: DatasetShape, field: string): void {
  checkSelection(numbers.selection, shape, `${field}.selection`);
  checkLossBalancing(numbers, shape.tasks, field);
}

/**
 * Throws InvalidInputError where FIXED weighs a task that is not among those that are trained, or one twice; `field` is
 * where the numbers stand in the request.
 */
export function checkLossBalancing({ lossBalancing }: HyperParameters, tasks: readonly string[], field: string): void {
  if (lossBalancing.kind !== "FIXED") return;
  lossBalancing.weights.forEach(({ task }, index) => {
    const at = `${field}.lossBalancing.weights[${index}].task`;
    if (!tasks.includes(task)) throw refusal(at, `one of ${tasks.join(", ")}`, shown(task));
    const first = lossBalancing.weights.findIndex((other) => other.task === task);
    if (first < index) throw refusal(at, "each task once", `${task} again`);
  });
}

/** Throws InvalidInputError where a weight is that of no cell of the dataset, or of one that has another weight. */
export function checkSelection({ weights }: Selection, shape: DatasetShape, field: string): void {
  weights.forEach(({ scenario, task }, index) => {
    const at = `${field}.weights[${index}]`;
    if (!shape.scenarios.includes(scenario)) {
      throw refusal(`${at}.scenario`, `one of ${shape.scenarios.join(", ")}`, shown(scenario));
    }
    if (!shape.tasks.includes(task)) throw refusal(`${at}.task`, `one of ${shape.tasks.join(", ")}`, shown(task));
    const first = weights.findIndex((other) => other.scenario === scenario && other.task === task);
    if (first < index) throw refusal(at, "each cell once", `${scenario} × ${task} again`);
  });
}
