/** Quantiles of Student's t distribution. */
import { normalQuantile } from "./normal.ts";

/**
 * The t below which a variable of Student's distribution falls with probability `p` in (0, 1), to a relative 1e-9.
 * `degreesOfFreedom` is at least 1 and need not be whole; infinite ones give the normal distribution.
 */
export function studentQuantile(p: number, degreesOfFreedom: number): number {
  if (degreesOfFreedom > 1000) return nearNormal(normalQuantile(p), degreesOfFreedom);
  const tail = Math.min(p, 1 - p);
  let low = 0;
  let high = 1;
  while (upperTail(high, degreesOfFreedom) > tail) [low, high] = [high, 2 * high];
  while (high - low > 1e-13 * high) {
    const middle = (low + high) / 2;
    if (upperTail(middle, degreesOfFreedom) > tail) low = middle;
    else high = middle;
  }
  return (Math.sign(p - 0.5) * (low + high)) / 2;
}

/** Abramowitz & Stegun 26.7.5 from the normal quantile z; what it leaves out falls as 1/ν⁵. */
function nearNormal(z: number, v: number): number {
  const w = z * z;
  const g1 = (w + 1) / 4;
  const g2 = ((5 * w + 16) * w + 3) / 96;
  const g3 = (((3 * w + 19) * w + 17) * w - 15) / 384;
  const g4 = ((((79 * w + 776) * w + 1482) * w - 1920) * w - 945) / 92160;
  return z * (1 + (g1 + (g2 + (g3 + g4 / v) / v) / v) / v);
}

/** P(T > t) for t ≥ 0, which is I_x(ν/2, ½) / 2 at x = ν / (ν + t²). */
function upperTail(t: number, v: number): number {
  const x = v / (v + t * t);
  const y = (t * t) / (v + t * t); // 1 − x, without cancellation
  return incompleteBeta(x, y, v / 2, 0.5) / 2;
}

/** The regularised incomplete beta function I_x(a, b), y = 1 − x. */
function incompleteBeta(x: number, y: number, a: number, b: number): number {
  if (x === 0 || y === 0) return x;
  const factor = Math.exp(lnGamma(a + b) - lnGamma(a) - lnGamma(b) + a * Math.log(x) + b * Math.log(y));
  // The fraction converges fast on this side of the mean, and the other side is its mirror.
  return x < (a + 1) / (a + b + 2) ? (factor * fraction(x, a, b)) / a : 1 - (factor * fraction(y, b, a)) / b;
}

/** The continued fraction of the incomplete beta function, by Lentz's method. */
function fraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const apart = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / apart(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m <= 1000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    const before = value;
    for (const term of [even, odd]) {
      d = 1 / apart(1 + term * d);
      c = apart(1 + term / c);
      value *= c * d;
    }
    if (Math.abs(value - before) <= 1e-16 * Math.abs(value)) break;
  }
  return value;
}

const lanczos = [
  676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
];

/** ln Γ(x) for x ≥ ½ (Lanczos, g = 7), 15 digits. */
function lnGamma(x: number): number {
  const series = lanczos.reduce((sum, c, i) => sum + c / (x + i), 0.9999999999998099);
  const t = x + 6.5;
  return Math.log(2 * Math.PI) / 2 + (x - 0.5) * Math.log(t) - t + Math.log(series);
}
