/** Exports (also of models) and batch predictions stay for good, their files do not: after a time nothing refers to a file, and `sweep` takes it. */
import type { Database } from "./sqlite.ts";

/** Days for which the file of an export (also of a model) or a batch prediction is kept, from when it was finished. */
export const resultDays = 30;

/** What is SUCCEEDED without a file has had one. */
export async function forgetOldResults(database: Database): Promise<void> {
  const finishedAt = { lt: new Date(Date.now() - resultDays * 86_400_000) };
  const old = { where: { artifactHash: { not: null }, finishedAt }, data: { artifactHash: null } };
  await database.export.updateMany(old);
  await database.modelExport.updateMany(old);
  await database.batchPrediction.updateMany(old);
}
