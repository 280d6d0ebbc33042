/** How well a conditional task is ranked where its condition is 1, which the metrics of both together do not tell. */
import { aucInterval } from "./aucInterval.ts";
import { delong } from "./delong.ts";
import { measured, type Measurement, missing } from "./measurement.ts";
import { unmeasurable, type CellRows } from "./measureCell.ts";
import { ascending } from "./order.ts";

const name = "conditionalAuc";

/**
 * AUC of the task's probability over its condition's, on the rows where the label of the condition is 1; with DeLong's interval.
 * It does not exist without such rows, where they all have one label, or where a condition's probability is rounded to 0.
 */
export function conditionalAuc(task: CellRows, condition: Pick<CellRows, "probabilities" | "labels">): Measurement {
  const rows = condition.labels.reduce((sum, label) => sum + label, 0);
  const [probabilities, labels] = [new Float32Array(rows), new Float32Array(rows)];
  let place = 0;
  for (const [row, label] of condition.labels.entries()) {
    if (label !== 1) continue;
    probabilities[place] = task.probabilities[row]! / condition.probabilities[row]!;
    labels[place++] = task.labels[row]!;
  }
  const reason = unmeasurable(probabilities);
  if (reason !== null) return missing(name, reason);
  const result = delong(ascending(probabilities), labels);
  return result === null ? missing(name, "ONE_CLASS") : measured(name, result.auc, aucInterval(result, labels));
}
