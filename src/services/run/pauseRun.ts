/** Holds a run, so that others go first or the machine is free, to go on from the same place later. */
import { z } from "zod";
import type { Run } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import { parseInput } from "../parseInput.ts";
import { withField } from "../withField.ts";

/**
 * A run that waits is PAUSED at once; of one that is RUNNING its worker is asked to save it and let go, which takes
 * seconds. Throws NotFoundError, or ConflictError for any other state.
 */
export async function pauseRun({ store }: Installation, input: unknown): Promise<Run> {
  const { run } = parseInput(z.strictObject({ run: z.string() }), input, "input");
  return withField({ id: "input.run" }, () => store.runs.pause(run));
}
