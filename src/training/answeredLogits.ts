/** The logits of a model as it is, from its partial logits and gates: where other gates of a conditional task are tried. */
import type { Predictions } from "../serving/predictor.ts";
import { composeLogits, type TaskConditions } from "../taskConditions.ts";

/** Composed where tasks are conditional [rows, tasks]. */
export function answeredLogits(
  { partialLogits, gates }: Required<Pick<Predictions, "partialLogits" | "gates">>,
  conditions: TaskConditions,
): Float64Array {
  const own = new Float64Array(gates.length / 4);
  for (let cell = 0; cell < own.length; cell++) {
    let logit = partialLogits[cell * 5]!;
    for (let flow = 0; flow < 4; flow++) logit -= gates[cell * 4 + flow]! * partialLogits[cell * 5 + 1 + flow]!;
    own[cell] = logit;
  }
  return composeLogits(own, conditions);
}
