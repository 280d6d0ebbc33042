/** What the gates do to the flows, per scenario × task × flow, over the training rows. */
import type { DatasetShape, SplitRows } from "../data/spec.ts";
import { flowNames } from "../model/spec.ts";
import type { FlowStatistic } from "./events.ts";

/**
 * `gateLogits` w [rows, T, 4]. A flow counts as removed where w > `threshold`; the mean gate is that of σ(τw).
 * Scenarios without training rows are left out.
 */
export function flowStatistics(
  rows: SplitRows,
  gateLogits: Float32Array,
  { scenarios, tasks }: DatasetShape,
  { threshold, temperature }: { readonly threshold: number; readonly temperature: number },
): FlowStatistic[] {
  const width = 4 * tasks.length;
  const count = new Float64Array(scenarios.length);
  const removed = new Float64Array(scenarios.length * width);
  const sum = new Float64Array(scenarios.length * width);
  for (let row = 0; row < rows.rows; row++) {
    const k = rows.scenario[row]!;
    count[k]!++;
    for (let j = 0; j < width; j++) {
      const w = gateLogits[row * width + j]!;
      removed[k * width + j]! += Number(w > threshold);
      sum[k * width + j]! += 1 / (1 + Math.exp(-temperature * w));
    }
  }
  return scenarios.flatMap((scenario, k) =>
    count[k] === 0
      ? []
      : tasks.flatMap((task, m) =>
          flowNames.map((flow, i) => {
            const at = k * width + 4 * m + i;
            return { scenario, task, flow, shareRemoved: removed[at]! / count[k]!, meanGate: sum[at]! / count[k]! };
          }),
        ),
  );
}
