/**
 * Sends what webhooks are to be told, in the server process: makes deliveries of the events in the outbox, and attempts those
 * that are due. Everything it has to know is in the store, so that it goes on after a restart where it was; a receiver
 * may get the same delivery twice, but never none.
 */
import { setTimeout as timer } from "node:timers/promises";
import type { Store } from "../../store/store.ts";
import type { AttemptEnd, ClaimedDelivery } from "../../store/webhooks.ts";
import { mostAttempts, waitAfter } from "./backOff.ts";
import { postJson } from "./postJson.ts";
import { signedHeaders } from "./signature.ts";

export interface Dispatcher {
  /** Addresses that are not public may be sent to, and http is as good as https. */
  readonly allowPrivate: boolean;
  /** Looks for something to send now instead of at its next look. */
  wake(): void;
  /** Attempts all that is due, and waits until every attempt has ended. */
  sendDue(): Promise<void>;
  /** Sends what comes up until `signal` aborts; attempts in hand are broken off then and made again later. */
  run(signal: AbortSignal): Promise<void>;
}

export interface DispatcherOptions {
  readonly store: Pick<Store, "outbox" | "webhooks">;
  readonly allowPrivate: boolean;
  /** Told of what is given up (as a warning), and of faults. */
  readonly log: {
    readonly [Level in "warn" | "error"]: (message: string, fields?: { readonly error: unknown }) => void;
  };
  /** Default: the clock. */
  readonly now?: () => Date;
}

/** Attempts at a time, of all webhooks and of one. */
const atOnce = 8;
const atOnceEach = 2;
const timeoutMs = 10_000;
/** An attempt that was begun so long ago has died with its process. */
const leaseMs = 30_000;
/** Between two looks, while there is an active webhook and while there is none. */
const lookEveryMs = 500;
const rareLookEveryMs = 60_000;
const keptForMs = 30 * 24 * 60 * 60 * 1000;
const forgetEveryMs = 60 * 60 * 1000;
const longestError = 500;

export function createDispatcher({ store, allowPrivate, log, now = () => new Date() }: DispatcherOptions): Dispatcher {
  /** The attempts in hand, by the webhook they go to. */
  const inHand = new Map<Promise<void>, string>();
  const ending = new AbortController();
  let nap = new AbortController();
  let forgottenAt = 0;
  const wake = (): void => nap.abort();
  const report = (error: unknown): void => log.error(`webhooks: ${String(error)}`, { error });

  const attempt = async (delivery: ClaimedDelivery): Promise<void> => {
    const outcome = await send(delivery, { allowPrivate, at: now(), signal: ending.signal });
    // Broken off by ourselves: it is no fault of the receiver's, and goes on at the next start.
    if (ending.signal.aborted && outcome.status === null) {
      return store.webhooks.putBack(delivery, "broken off: the server was ended", now());
    }
    const end = endOf(delivery, outcome, now());
    await store.webhooks.endAttempt(delivery, end);
    if (end.state === "GIVEN_UP") log.warn(`webhook ${delivery.webhookId}: ${delivery.id} is given up: ${end.error}`);
  };

  const begin = (delivery: ClaimedDelivery): void => {
    const attempting = attempt(delivery)
      .catch(report)
      .finally(() => {
        inHand.delete(attempting);
        wake();
      });
    inHand.set(attempting, delivery.webhookId);
  };

  /** Begins what is due and has room. */
  const beginDue = async (): Promise<void> => {
    while (await store.outbox.distribute());
    while (inHand.size < atOnce) {
      const webhooks = [...inHand.values()];
      const busy = webhooks.filter((id) => webhooks.filter((other) => other === id).length >= atOnceEach);
      const delivery = await store.webhooks.claimDue(now(), leaseMs, [...new Set(busy)]);
      if (delivery === null) return;
      begin(delivery);
    }
  };

  const forget = async (): Promise<void> => {
    const time = now().getTime();
    if (time - forgottenAt < forgetEveryMs) return;
    forgottenAt = time;
    await store.webhooks.forgetEnded(new Date(time - keptForMs));
  };

  return {
    allowPrivate,
    wake,

    async sendDue() {
      await beginDue();
      while (inHand.size > 0) {
        await Promise.race(inHand.keys());
        await beginDue();
      }
    },

    async run(signal) {
      signal.addEventListener("abort", wake, { once: true });
      while (!signal.aborted) {
        // Made before the look: whatever wakes it meanwhile may have come too late for that.
        nap = new AbortController();
        let wait = lookEveryMs;
        try {
          await beginDue();
          await forget();
          if (!(await store.webhooks.anyActive())) wait = rareLookEveryMs;
        } catch (error) {
          // A look that fails is no harm: the next may do better.
          report(error);
        }
        if (signal.aborted) break;
        await timer(wait, undefined, { signal: nap.signal, ref: false }).catch(() => undefined);
      }
      ending.abort();
      await Promise.all(inHand.keys());
    },
  };
}

interface Outcome {
  /** Null where there was no answer. */
  readonly status: number | null;
  readonly error: string | null;
}

async function send(
  { id, url, payload: body, secret, previousSecret }: ClaimedDelivery,
  { allowPrivate, at, signal }: { readonly allowPrivate: boolean; readonly at: Date; readonly signal: AbortSignal },
): Promise<Outcome> {
  const headers = signedHeaders({ id, at, body }, previousSecret === null ? [secret] : [secret, previousSecret]);
  try {
    const status = await postJson({ url, headers, body, allowPrivate, timeoutMs, signal });
    const isFine = status >= 200 && status < 300;
    return { status, error: isFine ? null : `expected an answer with status 2xx, got ${status}` };
  } catch (error) {
    return { status: null, error: reason(error).slice(0, longestError) };
  }
}

function endOf({ attempts }: ClaimedDelivery, { status, error }: Outcome, at: Date): AttemptEnd {
  if (error === null) return { state: "DELIVERED", status, error, at };
  if (attempts >= mostAttempts) return { state: "GIVEN_UP", status, error, at };
  const nextAttemptAt = new Date(at.getTime() + waitAfter(attempts, Math.random()));
  return { state: "PENDING", status, error, at, nextAttemptAt };
}

/** Of several addresses that were tried the first one says why. */
function reason(error: unknown): string {
  const { message, code, errors } = error as NodeJS.ErrnoException & { readonly errors?: readonly Error[] };
  return message || errors?.[0]?.message || code || String(error);
}
