/** Rate limits: a bucket of points per token that fills evenly. */
import { describe, expect, it } from "vitest";
import { createRateLimit } from "../../src/server/rateLimit.ts";

describe("a rate limit of 60 points a minute", () => {
  it("lets 60 points through at once and says what is left", () => {
    const limit = createRateLimit(60, () => 0);
    const headers = { "ratelimit-policy": '"points";q=60;w=60', ratelimit: '"points";r=20;t=40' };
    expect(limit.draw("a", 40)).toEqual({ isAllowed: true, headers });
    expect(limit.draw("a", 20).isAllowed).toBe(true);
  });

  it("refuses what is more than is left, takes nothing, and says when to come again", () => {
    const limit = createRateLimit(60, () => 0);
    limit.draw("a", 50);
    expect(limit.draw("a", 15)).toMatchObject({ isAllowed: false, headers: { "retry-after": "5" } });
    expect(limit.draw("a", 10).isAllowed).toBe(true);
  });

  it("gives back a point a second", () => {
    let now = 0;
    const limit = createRateLimit(60, () => now);
    limit.draw("a", 60);
    expect(limit.draw("a", 1).isAllowed).toBe(false);
    now = 2_000;
    expect(limit.draw("a", 2).isAllowed).toBe(true);
    expect(limit.draw("a", 1).isAllowed).toBe(false);
  });

  it("counts each token for itself", () => {
    const limit = createRateLimit(60, () => 0);
    limit.draw("a", 60);
    expect(limit.draw("b", 60).isAllowed).toBe(true);
  });
});
