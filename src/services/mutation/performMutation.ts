/**
 * What every mutation has in common: it is written into the audit log before it begins and after it has ended, and one with
 * an idempotency key is done once.
 */
import { createHash } from "node:crypto";
import { canonicalJson } from "../../data/canonicalJson.ts";
import { ConflictError, ProductError } from "../../errors.ts";
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

const longestKey = 255;
const idPattern = /^[a-z]{2,3}_[0-9a-f]{32}$/;

/** Throws what `work` throws, InvalidInputError for a key that is none, and ConflictError for one with another input. */
export async function performMutation<Payload extends object>(
  store: Pick<Store, "audit" | "idempotency">,
  request: MutationRequest<Payload>,
): Promise<Payload> {
  const { actor, requestId, operation, input } = request;
  const inputHash = createHash("sha256").update(canonicalJson(input)).digest("hex");
  const entry = { actor: actor.id, actorName: actor.name, operation, inputHash, requestId };
  const named = idsIn(input);
  const begun = await store.audit.append({ ...entry, phase: "BEGUN", subjects: named });
  try {
    const payload = await once(store.idempotency, request, inputHash);
    const subjects = [...new Set([...named, ...idsOfRows(payload)])];
    await store.audit.append({ ...entry, phase: "DONE", begun, subjects });
    return payload;
  } catch (error) {
    const outcome =
      error instanceof ProductError
        ? ({ phase: "REFUSED", code: error.code } as const)
        : ({ phase: "FAILED" } as const);
    await store.audit.append({ ...entry, ...outcome, begun, subjects: named });
    throw error;
  }
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
