/**
 * The metrics by their definitions, as slow and as plain as can be: pairs are counted one by one, nothing is sorted.
 * Shares no code with src/metrics. What the fast ones are held against.
 */
type Rows = Float32Array | readonly number[];

/** 1 if the positive row scores above the negative one, ½ if as high. */
function won(positive: number, negative: number): number {
  return positive > negative ? 1 : positive === negative ? 0.5 : 0;
}

/** Share of pairs won, O(rows²). NaN without a pair. */
export function slowAuc(scores: Rows, labels: Rows): number {
  return average(slowComponents(scores, labels).ofPositives);
}

/** V10 of each positive and V01 of each negative row, in the order of the rows. */
export function slowComponents(scores: Rows, labels: Rows): { ofPositives: number[]; ofNegatives: number[] } {
  const all = Array.from(scores);
  const positives = all.filter((_, i) => labels[i] === 1);
  const negatives = all.filter((_, i) => labels[i] === 0);
  return {
    ofPositives: positives.map((x) => average(negatives.map((y) => won(x, y)))),
    ofNegatives: negatives.map((y) => average(positives.map((x) => won(x, y)))),
  };
}

/** DeLong's covariance of the AUCs of two models on the same rows; of a model with itself its variance. */
export function slowCovariance(a: Rows, b: Rows, labels: Rows): number {
  const [x, y] = [slowComponents(a, labels), slowComponents(b, labels)];
  return (
    covariance(x.ofPositives, y.ofPositives) / x.ofPositives.length +
    covariance(x.ofNegatives, y.ofNegatives) / x.ofNegatives.length
  );
}

export function slowLosses(probabilities: Rows, labels: Rows): number[] {
  return Array.from(probabilities, (p, i) => {
    const clipped = Math.min(Math.max(p, 2 ** -52), 1 - 2 ** -52);
    return -(labels[i]! * Math.log(clipped) + (1 - labels[i]!) * Math.log(1 - clipped));
  });
}

/** The bin of a score is that of the middle of its ranks from 0, ranks by counting. */
export function slowCalibrationError(probabilities: Rows, labels: Rows, bins: number): number {
  const p = Array.from(probabilities);
  const binOf = p.map((x) => {
    const [below, tied] = [p.filter((y) => y < x).length, p.filter((y) => y === x).length];
    return Math.floor((bins * (below + (tied - 1) / 2)) / p.length);
  });
  let error = 0;
  for (let bin = 0; bin < bins; bin++) {
    const rows = p.flatMap((_, i) => (binOf[i] === bin ? [i] : []));
    if (rows.length === 0) continue;
    const apart = average(rows.map((i) => p[i]!)) - average(rows.map((i) => labels[i]!));
    error += (rows.length / p.length) * Math.abs(apart);
  }
  return error;
}

/** NaN without a group of both classes. */
export function slowGroupedAuc(scores: Rows, labels: Rows, groups: Int32Array): { value: number; groups: number } {
  let [weighted, rows, counted] = [0, 0, 0];
  for (const group of new Set(groups)) {
    const own = [...groups.keys()].filter((i) => groups[i] === group);
    const auc = slowAuc(
      own.map((i) => scores[i]!),
      own.map((i) => labels[i]!),
    );
    if (Number.isNaN(auc)) continue;
    weighted += own.length * auc;
    rows += own.length;
    counted++;
  }
  return { value: weighted / rows, groups: counted };
}

export function average(values: readonly number[]): number {
  return values.reduce((total, x) => total + x, 0) / values.length;
}

/** Of a sample, over n − 1. */
export function covariance(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [average(a), average(b)];
  return a.reduce((total, x, i) => total + (x - meanA) * (b[i]! - meanB), 0) / (a.length - 1);
}
