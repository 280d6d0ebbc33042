/**
 * What every mutation has in common: it is written into the audit log before it begins and after it has ended, and one with
 * an idempotency key is done once.
 */
import { createHash } from "node:crypto";
import { canonicalJson } from "../../data/canonicalJson.ts";
import { ConflictError, ProductError } from "../../errors.ts";
import type { NewAuditEntry } from "../../store/audit.ts";
import type { KeyedRequest } from "../../store/idempotency.ts";
import type { Store } from "../../store/store.ts";
import type { Actor } from "../access/actor.ts";
import { refusal, shown } from "../parseInput.ts";

export interface MutationRequest<Payload> {
  readonly actor: Actor;
  readonly requestId: string;
  /** Name of the mutation. */
  readonly operation: string;
  /** Without the key. */
  readonly input: unknown;
  readonly idempotencyKey: string | null;
  work(): Promise<Payload>;
  /** The payload of a mutation that has made `subjectId`. */
  recall(subjectId: string): Promise<Payload>;
}

export interface MutationOptions {
  readonly store: Pick<Store, "audit" | "idempotency">;
  /** Told of an end that could not be written. */
  readonly log: { error(message: string, fields: { readonly error: unknown; readonly requestId: string }): void };
}

const longestKey = 255;
const idPattern = /^[a-z]{2,3}_[0-9a-f]{32}$/;

/** Throws what `work` throws, InvalidInputError for a key that is none, and ConflictError for one with another input. */
export async function performMutation<Payload extends object>(
  { store, log }: MutationOptions,
  request: MutationRequest<Payload>,
): Promise<Payload> {
  const { actor, requestId, operation, input } = request;
  const inputHash = createHash("sha256").update(canonicalJson(input)).digest("hex");
  const entry = { actor: actor.id, actorName: actor.name, operation, inputHash, requestId };
  const named = idsIn(input);
  const begun = await store.audit.append({ ...entry, phase: "BEGUN", subjects: named });
  // What was done is done, and what was refused is refused, whether or not its end can be written.
  const end = async (outcome: Pick<NewAuditEntry, "phase" | "code" | "subjects">): Promise<void> => {
    await store.audit.append({ ...entry, ...outcome, begun }).catch((error: unknown) => {
      log.error(`audit log: ${operation} is ${outcome.phase}, but its end could not be written`, { error, requestId });
    });
  };
  let payload: Payload;
  try {
    payload = await once(store.idempotency, request, inputHash);
  } catch (error) {
    const outcome =
      error instanceof ProductError
        ? ({ phase: "REFUSED", code: error.code } as const)
        : ({ phase: "FAILED" } as const);
    await end({ ...outcome, subjects: named });
    throw error;
  }
  await end({ phase: "DONE", subjects: [...new Set([...named, ...idsOfRows(payload)])] });
  return payload;
}

async function once<Payload>(
  idempotency: Store["idempotency"],
  { actor, operation, idempotencyKey: key, work, recall }: MutationRequest<Payload>,
  inputHash: string,
): Promise<Payload> {
  if (key === null) return work();
  if (key.length < 1 || key.length > longestKey) {
    throw refusal("input.idempotencyKey", `1 to ${longestKey} characters`, shown(key));
  }
  const request: KeyedRequest = { actor: actor.id, key, operation, inputHash };
  /** Undefined where the request has not been answered before. */
  const before = async (): Promise<{ payload: Payload } | undefined> => {
    const earlier = await idempotency.find(request);
    if (earlier === null) return undefined;
    assertSame(request, earlier);
    return { payload: await (earlier.subjectId === null ? work() : recall(earlier.subjectId)) };
  };

  const earlier = await before();
  if (earlier) return earlier.payload;
  try {
    const payload = await idempotency.within(request, work);
    await idempotency.remember(request);
    return payload;
  } catch (error) {
    // The same request may have arrived twice at a time: the later one has been undone.
    const meanwhile = await before();
    if (meanwhile) return meanwhile.payload;
    throw error;
  }
}

function assertSame(
  { key, operation, inputHash }: KeyedRequest,
  earlier: { operation: string; inputHash: string },
): void {
  if (earlier.operation === operation && earlier.inputHash === inputHash) return;
  const other = earlier.operation === operation ? "another input" : earlier.operation;
  const expected = "a new key, or the input that was sent with it before";
  throw new ConflictError(`input.idempotencyKey: expected ${expected}, but ${shown(key)} was sent with ${other}`, {
    field: "input.idempotencyKey",
    expected,
    received: key,
    hint: "make a new key for every new request, and keep it for sending the same one again",
  });
}

/** Global ids anywhere in an input. */
function idsIn(value: unknown): string[] {
  if (typeof value === "string") return idPattern.test(value) ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return [...new Set(Object.values(value).flatMap(idsIn))];
}

/** Ids of the rows a payload holds. */
function idsOfRows(payload: object): string[] {
  const idOf = (row: unknown): string[] => {
    const { id } = (row ?? {}) as { id?: unknown };
    return typeof id === "string" ? [id] : [];
  };
  return Object.values(payload).flatMap((member: unknown) =>
    Array.isArray(member) ? member.flatMap(idOf) : idOf(member),
  );
}
