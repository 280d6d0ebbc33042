/** The numbers of a training as a caller gives them: any of them, the rest from a preset. */
import { z } from "zod";
import type { HeadSpec } from "../model/spec.ts";
import { defaultHyperParameters, gateLearningRateFor, hyperParameters } from "../training/hyperParameters.ts";
import type { HyperParameters, Preset } from "../training/hyperParameters.ts";
import { refusal } from "./parseInput.ts";

export const hyperParametersInput = z
  .strictObject({
    ...hyperParameters.shape,
    search: z.strictObject(hyperParameters.shape.search.shape).partial(),
  })
  .partial();

export type HyperParametersInput = z.infer<typeof hyperParametersInput>;

/** The preset's numbers with the caller's in their place. Throws InvalidInputError where they do not go together. */
export function completeHyperParameters(preset: Preset, head: HeadSpec, given: HyperParametersInput): HyperParameters {
  if (head.kind === "TOWERS" && given.search) {
    throw refusal("input.hyperParameters.search", "nothing, as head TOWERS has no search", "an object");
  }
  const base = defaultHyperParameters(preset);
  const search = { ...base.search, ...given.search };
  // A shorter search than the preset's must not be refused for a rewind nobody asked for.
  const rewindEpoch = given.search?.rewindEpoch ?? Math.min(search.rewindEpoch, search.epochs - 1);
  if (rewindEpoch >= search.epochs) {
    const expected = `below the ${search.epochs} epochs of the search`;
    throw refusal("input.hyperParameters.search.rewindEpoch", expected, String(rewindEpoch));
  }
  const learningRate = given.learningRate ?? base.learningRate;
  const gateLearningRate = given.search?.gateLearningRate ?? gateLearningRateFor(preset, learningRate);
  return { ...base, ...given, search: { ...search, rewindEpoch, gateLearningRate } };
}
