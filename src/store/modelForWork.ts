/** A model that something is to be done to: found by id or key, locked, and counted as changed. */
import { NotFoundError } from "../errors.ts";
import { assertNotDeleted } from "./notDeleted.ts";
import type { Model } from "./rows.ts";
import type { Database, DatabaseTransaction } from "./sqlite.ts";

/**
 * Locked until the commit, so that what is read of its versions, aliases, rules and traffic stays so; `changes` is already that
 * of the change. Throws NotFoundError, or ConflictError where it is deleted.
 */
export async function modelForWork(tx: DatabaseTransaction, idOrKey: string): Promise<Model> {
  const found = await modelByIdOrKey(tx, idOrKey);
  const model = await tx.model.update({ where: { id: found.id }, data: { changes: { increment: 1 } } });
  assertNotDeleted(model, "model", "model");
  return model;
}

/** Throws NotFoundError. */
export async function modelByIdOrKey(tx: Database | DatabaseTransaction, idOrKey: string): Promise<Model> {
  const found = await tx.model.findFirst({ where: { OR: [{ id: idOrKey }, { key: idOrKey }] } });
  if (found === null) throw noSuch("model", "the id or key of a model", idOrKey);
  return found;
}

export function noSuch(field: string, expected: string, received: string | number): NotFoundError {
  const message = `${field} ${received}: expected ${expected}, but there is none`;
  return new NotFoundError(message, { field, expected, received: String(received) });
}
