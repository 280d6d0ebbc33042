/**
 * Who is at the door: the actor behind a request, its id, and whether it may come in at all. An installation without tokens is
 * open, but only under the names of this machine: else a page from anywhere could reach it by a name it lets point here.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { mayAct } from "../context.ts";
import type { Actor, Role } from "../context.ts";
import { Refusal } from "./refusal.ts";

/** A request as it came in. */
export interface Visit {
  readonly actor: Actor;
  /** As in the header `x-request-id`. */
  readonly requestId: string;
  /** False once the token has expired or was revoked: for what lasts longer than a request. */
  isStillIn(): Promise<boolean>;
}

export interface Visitors {
  /**
   * `authorization` is that of the request's header, unless it comes by another way. Throws Refusal for a host that is none of
   * ours, and for a token that is missing, unknown, expired or revoked.
   */
  admit(request: IncomingMessage, requestId: string, authorization?: string): Promise<Visit>;
}

/** What a visitor is known by. */
export interface Gate {
  isOpen(): boolean;
  identify(authorization: string | undefined): Promise<Actor | null>;
}

const ofThisMachine = /^(localhost|[^.]+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i;
const requestIdPattern = /^[A-Za-z0-9._-]{1,128}$/;

export function createVisitors(gate: Gate): Visitors {
  return {
    async admit(request, requestId, authorization = request.headers.authorization) {
      const { host = "" } = request.headers;
      if (gate.isOpen() && !ofThisMachine.test(host)) {
        const expected = "a name of this machine, as long as there are no tokens";
        throw new Refusal(421, `host: expected ${expected}, got "${host}"`, "FORBIDDEN");
      }
      const actor = await gate.identify(authorization);
      if (!actor) {
        const expected = "`authorization: Bearer <secret>` with a token that has not expired and was not revoked";
        throw new Refusal(401, `expected ${expected}`, "UNAUTHENTICATED", {
          headers: { "www-authenticate": 'Bearer realm="autoifs"' },
        });
      }
      const isStillIn = async (): Promise<boolean> => (await gate.identify(authorization))?.id === actor.id;
      return { actor, requestId, isStillIn };
    },
  };
}

/** The client's `x-request-id`, or a new one. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && requestIdPattern.test(given) ? given : randomUUID();
}

/** Throws Refusal where the role of who asks is not enough. */
export function assertMay({ actor }: Pick<Visit, "actor">, needed: Role): void {
  if (mayAct(actor, needed)) return;
  const message = `expected a token with the role ${needed}, but ${actor.name} is ${actor.role}`;
  throw new Refusal(403, message, "FORBIDDEN", { extensions: { expected: needed, received: actor.role } });
}

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|::1)$/i.test(host);
}
