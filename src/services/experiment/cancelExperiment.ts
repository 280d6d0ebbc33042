/** Ends an experiment before its time, with everything of it that waits or runs. */
import { z } from "zod";
import type { Experiment } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import { parseInput } from "../parseInput.ts";
import { withField } from "../withField.ts";

/**
 * The experiment and its open runs are CANCELLED at once, its open trials STOPPED; workers notice within seconds. Throws
 * NotFoundError, or ConflictError for an experiment that has ended.
 */
export async function cancelExperiment({ store }: Installation, input: unknown): Promise<Experiment> {
  const { experiment } = parseInput(z.strictObject({ experiment: z.string() }), input, "input");
  return withField({ id: "input.experiment" }, () => store.experiments.cancel(experiment));
}
