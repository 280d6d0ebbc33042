/** The log-loss of rows, and the entropy of a share. In nats. */

/** −ln of the probability given to the label, p clipped to [ε, 1 − ε] with the machine ε of float64 [rows]. */
export function rowLosses(probabilities: Float32Array, labels: Float32Array): Float64Array {
  const losses = new Float64Array(probabilities.length);
  for (let row = 0; row < losses.length; row++) {
    const p = Math.min(Math.max(probabilities[row]!, Number.EPSILON), 1 - Number.EPSILON);
    losses[row] = -Math.log(labels[row] === 1 ? p : 1 - p);
  }
  return losses;
}

/** Log-loss of always predicting the share of positives; 0 where the share is 0 or 1. */
export function entropy(share: number): number {
  return share <= 0 || share >= 1 ? 0 : -(share * Math.log(share) + (1 - share) * Math.log1p(-share));
}
