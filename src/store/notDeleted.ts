/** What is deleted can be read, and restored, but nothing new is made of it. */
import { ConflictError } from "../errors.ts";
import { orNotFound } from "./found.ts";
import type { DatabaseTransaction } from "./sqlite.ts";

export interface Deletable {
  readonly id: string;
  readonly deletedAt: Date | null;
}

/** Throws ConflictError about `field`, which is where the request has the thing. */
export function assertNotDeleted({ id, deletedAt }: Deletable, what: string, field = "id"): void {
  if (deletedAt === null) return;
  const expected = `a ${what} that is not deleted`;
  throw new ConflictError(`${field}: expected ${expected}, but ${id} was deleted at ${deletedAt.toISOString()}`, {
    field,
    expected,
    received: id,
    hint: "take another one, or restore it with `restoreNode`",
  });
}

/**
 * The same for what a new run is made of, in the transaction that makes it: what was looked at before may have been deleted,
 * or even purged, meanwhile. Throws ConflictError or NotFoundError.
 */
export async function assertRunnable(
  tx: DatabaseTransaction,
  { datasetId, runIds }: { readonly datasetId: string; readonly runIds: readonly (string | undefined)[] },
): Promise<void> {
  const select = { id: true, deletedAt: true };
  const dataset = await tx.dataset.findUnique({ where: { id: datasetId }, select });
  assertNotDeleted(orNotFound(dataset, "dataset", datasetId), "dataset");
  for (const id of runIds) {
    if (id === undefined) continue;
    assertNotDeleted(orNotFound(await tx.modelRun.findUnique({ where: { id }, select }), "run", id), "run");
  }
}
