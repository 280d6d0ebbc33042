/** Ends a run before its time: takes it off the queue, or takes it from the worker that trains it. */
import { z } from "zod";
import type { Run } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import { parseInput } from "../parseInput.ts";
import { withField } from "../withField.ts";

/**
 * The run is CANCELLED at once. A worker that trains it notices at its next report, or its next heartbeat at the latest,
 * and goes on with other jobs. Throws NotFoundError, or ConflictError for a run that has ended.
 */
export async function cancelRun({ store }: Installation, input: unknown): Promise<Run> {
  const { run } = parseInput(z.strictObject({ run: z.string() }), input, "input");
  return withField({ id: "input.run" }, () => store.runs.cancel(run));
}
