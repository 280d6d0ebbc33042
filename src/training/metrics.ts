/** Metrics of one cell (scenario × task), exact. `null` where a metric does not exist. */

/**
 * Area under the ROC curve: the probability that a positive row scores above a negative one, ties counting half
 * (Mann–Whitney). Null when there is no positive or no negative row.
 */
export function areaUnderCurve(scores: Float32Array, labels: Float32Array): number | null {
  const order = rankOrder(scores);
  let positives = 0;
  let rankSum = 0; // of the positives, ranks from 1, tied scores share their mean rank
  for (let i = 0; i < order.length;) {
    let end = i;
    let tiedPositives = 0;
    while (end < order.length && scores[order[end]!] === scores[order[i]!]) tiedPositives += labels[order[end++]!]!;
    rankSum += (tiedPositives * (i + 1 + end)) / 2;
    positives += tiedPositives;
    i = end;
  }
  const negatives = order.length - positives;
  if (positives === 0 || negatives === 0) return null;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Row numbers by ascending score. */
function rankOrder(scores: Float32Array): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]!);
}

/**
 * Mean of −ln p(label) over rows, p clipped to [ε, 1 − ε] with the machine ε of float64 (spec §7). Null without rows.
 */
export function logLoss(probabilities: Float32Array, labels: Float32Array): number | null {
  if (probabilities.length === 0) return null;
  let sum = 0;
  for (const [i, p] of probabilities.entries()) {
    const clipped = Math.min(Math.max(p, Number.EPSILON), 1 - Number.EPSILON);
    sum -= Math.log(labels[i] === 1 ? clipped : 1 - clipped);
  }
  return sum / probabilities.length;
}
