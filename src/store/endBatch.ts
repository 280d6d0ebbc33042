/** How a batch prediction ends without a result, inside a transaction of whoever ends it. */
import type { DatabaseTransaction } from "./sqlite.ts";

/** What was predicted so far is given up; its files are swept later. */
export async function endBatchInside(
  tx: DatabaseTransaction,
  id: string,
  data: { readonly state: "FAILED" | "CANCELLED"; readonly error?: string },
): Promise<void> {
  await tx.batchPrediction.update({ where: { id }, data: { ...data, finishedAt: new Date() } });
  await tx.batchPart.deleteMany({ where: { batchId: id } });
}
