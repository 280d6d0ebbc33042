/** Ends a batch prediction before its time. */
import { z } from "zod";
import type { BatchPrediction } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import { parseInput } from "../parseInput.ts";
import { withField } from "../withField.ts";

/**
 * It is CANCELLED at once, and what was predicted so far is given up; a worker that is at it notices within a second.
 * Throws NotFoundError, or ConflictError for one that has ended.
 */
export async function cancelBatchPrediction(
  { store }: Pick<Installation, "store">,
  input: unknown,
): Promise<BatchPrediction> {
  const { batchPrediction } = parseInput(z.strictObject({ batchPrediction: z.string() }), input, "input");
  return withField({ id: "input.batchPrediction" }, () => store.batchPredictions.cancel(batchPrediction));
}
