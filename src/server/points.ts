/** The rate limit of a token, drawn from by whatever it asks for: one bucket for GraphQL and for inference. */
import type { Actor } from "../context.ts";
import { createRateLimit } from "./rateLimit.ts";
import { Refusal } from "./refusal.ts";

/** Gives the headers for the answer. Throws Refusal where the token has not that many left. */
export type TakePoints = (actor: Actor, points: number) => Readonly<Record<string, string>>;

/** `rateLimit`: points a token has a minute; 0: no limit. */
export function createPoints(rateLimit: number): TakePoints {
  const rates = rateLimit > 0 ? createRateLimit(rateLimit) : undefined;
  return ({ id }, points) => {
    // Whoever can reach an open installation has no token to count by.
    const draw = id === "" ? undefined : rates?.draw(id, points);
    if (draw && !draw.isAllowed) {
      const message = `expected at most ${rateLimit} points a minute; this request costs ${points}`;
      throw new Refusal(429, message, "RATE_LIMITED", { headers: draw.headers });
    }
    return draw?.headers ?? {};
  };
}
