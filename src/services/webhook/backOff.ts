/** How long to wait before the next attempt to deliver: ten attempts over about a day. */

/** After so many failures in a row a delivery is given up. */
export const mostAttempts = 10;

const firstMs = 10_000;
const factor = 3;
/** Up to so much more or less, by chance, so that what failed together does not come back together. */
const jitter = 0.2;

/** Milliseconds after the failure of attempt `attempt` (from 1): 10 s, 30 s, 90 s ... 18 h; `random` is in [0, 1). */
export function waitAfter(attempt: number, random: number): number {
  return firstMs * factor ** (attempt - 1) * (1 + jitter * (2 * random - 1));
}
