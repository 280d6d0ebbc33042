/** What the gates do to the flows, per scenario × task × flow, over the rows of a split. */
import type { DatasetShape, SplitRows } from "../data/spec.ts";
import { flowNames } from "../model/spec.ts";
import type { FlowStatistic } from "./events.ts";

/** |τw| above which the soft gate is below 0.01 or above 0.99. */
const saturated = Math.log(99);

/**
 * `gateLogits` w [rows, T, 4]. A flow counts as removed where w > `threshold`; the other figures are of the soft gate
 * σ(τw). Scenarios without rows are left out, and flows of which a w is not finite.
 */
export function flowStatistics(
  rows: SplitRows,
  gateLogits: Float32Array,
  { scenarios, tasks }: DatasetShape,
  { threshold, temperature }: { readonly threshold: number; readonly temperature: number },
): FlowStatistic[] {
  const width = 4 * tasks.length;
  const count = new Float64Array(scenarios.length);
  const sums = () => new Float64Array(scenarios.length * width);
  const [removed, gates, nats, ends, logits] = [sums(), sums(), sums(), sums(), sums()];
  for (let row = 0; row < rows.rows; row++) {
    const k = rows.scenario[row]!;
    count[k]!++;
    for (let j = 0; j < width; j++) {
      const at = k * width + j;
      const w = gateLogits[row * width + j]!;
      const size = Math.abs(temperature * w);
      const small = Math.exp(-size);
      const far = small / (1 + small); // the smaller one of σ(τw) and 1 − σ(τw)
      removed[at]! += Number(w > threshold);
      gates[at]! += w > 0 ? 1 - far : far;
      // −g ln g − (1 − g) ln (1 − g), without a logarithm of 0; an infinite w is decided.
      nats[at]! += far === 0 ? 0 : Math.log1p(small) + size * far;
      ends[at]! += Number(size > saturated);
      logits[at]! += w;
    }
  }
  return scenarios.flatMap((scenario, k) =>
    count[k] === 0
      ? []
      : tasks.flatMap((task, m) =>
          flowNames.flatMap((flow, i) => {
            const at = k * width + 4 * m + i;
            const mean = (sum: Float64Array): number => sum[at]! / count[k]!;
            if (!Number.isFinite(logits[at])) return [];
            return {
              scenario,
              task,
              flow,
              shareRemoved: mean(removed),
              meanGate: mean(gates),
              entropy: mean(nats) / Math.LN2,
              saturation: mean(ends),
              meanLogit: mean(logits),
            };
          }),
        ),
  );
}
