/** Takes a run off the queue. */
import { z } from "zod";
import type { Run } from "../store/rows.ts";
import type { Installation } from "./installation.ts";
import { parseInput } from "./parseInput.ts";
import { withField } from "./withField.ts";

/** Throws NotFoundError, or ConflictError for a run that has left the queue. */
export async function cancelRun({ store }: Installation, input: unknown): Promise<Run> {
  const { run } = parseInput(z.strictObject({ run: z.string() }), input, "input");
  return withField({ id: "input.run" }, () => store.runs.cancel(run));
}
