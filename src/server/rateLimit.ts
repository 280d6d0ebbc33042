/**
 * Rate limits: each token has a bucket of points that fills evenly and is drawn from by the cost of what is asked. The headers
 * are those of the IETF draft "RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers-10).
 */

export interface Draw {
  readonly isAllowed: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

export interface RateLimit {
  /** Takes `points` from the bucket of `key`; where there are too few, none. */
  draw(key: string, points: number): Draw;
}

const windowSeconds = 60;

interface Bucket {
  points: number;
  filledAt: number;
}

/** `limit` points a minute; `now` gives milliseconds. */
export function createRateLimit(limit: number, now: () => number = Date.now): RateLimit {
  const buckets = new Map<string, Bucket>();
  const perMs = limit / (windowSeconds * 1000);
  return {
    draw(key, points) {
      const time = now();
      const bucket = buckets.get(key) ?? { points: limit, filledAt: time };
      buckets.set(key, bucket);
      bucket.points = Math.min(limit, bucket.points + (time - bucket.filledAt) * perMs);
      bucket.filledAt = time;
      const isAllowed = points <= bucket.points;
      if (isAllowed) bucket.points -= points;
      const missing = isAllowed ? 0 : Math.min(points, limit) - bucket.points;
      const seconds = (amount: number): number => Math.ceil(amount / perMs / 1000);
      return {
        isAllowed,
        headers: {
          "ratelimit-policy": `"points";q=${limit};w=${windowSeconds}`,
          ratelimit: `"points";r=${Math.floor(bucket.points)};t=${seconds(limit - bucket.points)}`,
          ...(isAllowed ? {} : { "retry-after": String(Math.max(1, seconds(missing))) }),
        },
      };
    },
  };
}
