/**
 * Requests with a key of the client's, so that it may send them again. What a request makes is remembered in the transaction
 * that makes it: after a kill -9 both stand, or neither.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Database, DatabaseTransaction } from "./sqlite.ts";

export interface KeyedRequest {
  /** Id of the token; empty where none was needed. Two of them may use the same key. */
  readonly actor: string;
  readonly key: string;
  readonly operation: string;
  /** sha256 of the input without the key. */
  readonly inputHash: string;
}

export interface RememberedRequest {
  readonly operation: string;
  readonly inputHash: string;
  /** What was made; null where asking again makes nothing new by itself. */
  readonly subjectId: string | null;
}

const keptForMs = 24 * 60 * 60 * 1000;

/** The request that is being worked on; the functions of the store that make things are many, and none of them knows. */
const current = new AsyncLocalStorage<KeyedRequest>();
let inHand = 0;

export type Idempotency = ReturnType<typeof idempotencyStore>;

export function idempotencyStore(database: Database) {
  return {
    /** Null where the key is new, or older than a day. */
    async find({ actor, key }: Pick<KeyedRequest, "actor" | "key">): Promise<RememberedRequest | null> {
      const row = await database.idempotentRequest.findUnique({ where: { actor_key: { actor, key } } });
      return row && row.createdAt > expiry() ? row : null;
    },

    /** What `work` makes in the store is remembered as the result of the request. */
    async within<T>(request: KeyedRequest, work: () => Promise<T>): Promise<T> {
      inHand++;
      try {
        return await current.run(request, work);
      } finally {
        // As long as it is on it makes every promise of the process dearer.
        if (--inHand === 0) current.disable();
      }
    },

    /** Of a request that made nothing new. One that is remembered already stays as it is. */
    async remember(request: KeyedRequest): Promise<void> {
      const { actor, key } = request;
      await database.$transaction(async (tx) => {
        const row = await tx.idempotentRequest.findUnique({ where: { actor_key: { actor, key } } });
        if (!row || row.createdAt <= expiry()) await write(tx, request, null);
      });
    },
  };
}

/** To be called in the transaction that makes what a mutation is for. Without a keyed request it does nothing. */
export async function rememberResult(tx: DatabaseTransaction, subjectId: string): Promise<void> {
  const request = current.getStore();
  if (request) await write(tx, request, subjectId);
}

async function write(tx: DatabaseTransaction, request: KeyedRequest, subjectId: string | null): Promise<void> {
  await tx.idempotentRequest.deleteMany({ where: { createdAt: { lte: expiry() } } });
  await tx.idempotentRequest.create({ data: { ...request, subjectId, createdAt: new Date() } });
}

const expiry = (): Date => new Date(Date.now() - keptForMs);
