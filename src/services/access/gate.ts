/**
 * The gate: finds out who asks. While there has never been a token everybody may do everything (such a server listens to its
 * own machine only); from the first one on nobody gets in without.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Store } from "../../store/store.ts";
import type { ApiToken } from "../../store/tokens.ts";
import type { Actor } from "./actor.ts";
import { anybody } from "./actor.ts";
import { hashOf } from "./tokens.ts";

export interface Gate {
  /** True while no token is needed. */
  isOpen(): boolean;
  /** Who sends this header (`Bearer <secret>`); null where nobody with it may come in. */
  identify(authorization: string | undefined): Promise<Actor | null>;
  /** Looks whether there are tokens, and forgets what it knows of them; to be called where one was made or revoked. */
  refresh(): Promise<void>;
  /** Does so from time to time, for tokens that other processes make, until `signal` aborts. */
  watch(intervalMs: number, signal: AbortSignal): Promise<void>;
}

/** A token is taken as it was when it was looked up for so long. */
const trustedForMs = 10_000;
/** `lastUsedAt` is to the minute, so that not every request writes. */
const usedEveryMs = 60_000;
/** Secrets remembered at most. */
const mostRemembered = 1000;

interface Known {
  readonly token: ApiToken | null;
  readonly readAt: number;
}

export async function createGate({ tokens }: Pick<Store, "tokens">): Promise<Gate> {
  const known = new Map<string, Known>();
  const usedAt = new Map<string, number>();
  /** Counts the refreshes: what was read before one is not remembered after it. */
  let generation = 0;
  let isOpen = !(await tokens.exist());

  const refresh = async (): Promise<void> => {
    generation += 1;
    known.clear();
    // Never opened again: a revoked token is a token, and a look that began before the first one may end after others.
    if (isOpen && (await tokens.exist())) isOpen = false;
  };

  const lookUp = async (secret: string): Promise<ApiToken | null> => {
    const secretHash = hashOf(secret);
    const before = known.get(secretHash);
    if (before && Date.now() - before.readAt < trustedForMs) return before.token;
    const begunIn = generation;
    const token = await tokens.bySecretHash(secretHash);
    if (begunIn !== generation) return token;
    if (known.size >= mostRemembered) known.clear();
    known.set(secretHash, { token, readAt: Date.now() });
    return token;
  };

  const markUsed = async ({ id }: ApiToken): Promise<void> => {
    const now = Date.now();
    if (now - (usedAt.get(id) ?? 0) < usedEveryMs) return;
    usedAt.set(id, now);
    await tokens.markUsed(id, new Date(now));
  };

  return {
    isOpen: () => isOpen,
    refresh,

    async identify(authorization) {
      // Who sends a token may know of one that another process has just made.
      if (isOpen && authorization !== undefined) await refresh();
      if (isOpen) return anybody;
      const secret = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
      if (secret === undefined) return null;
      const token = await lookUp(secret);
      const isOver =
        token === null || token.revokedAt !== null || (token.expiresAt !== null && token.expiresAt <= new Date());
      if (isOver) return null;
      await markUsed(token);
      return { id: token.id, name: token.name, role: token.role };
    },

    async watch(intervalMs, signal) {
      while (!signal.aborted) {
        // One look that fails is no harm: the next may do better.
        await refresh().catch(() => undefined);
        await pause(intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
      }
    },
  };
}
