/** Puts a run that was held back into the queue. */
import { z } from "zod";
import type { Run } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import { parseInput } from "../parseInput.ts";
import { withField } from "../withField.ts";

/** QUEUED, to go on from where it was. Throws NotFoundError, or ConflictError for a run that is not PAUSED. */
export async function resumeRun({ store }: Installation, input: unknown): Promise<Run> {
  const { run } = parseInput(z.strictObject({ run: z.string() }), input, "input");
  return withField({ id: "input.run" }, () => store.runs.resume(run));
}
