/** What a model would say with other gates: the logit is full − Σ gate · flow, so nothing has to be computed anew. */
import { flowNames } from "../../model/spec.ts";
import { composeLogits } from "../../taskConditions.ts";
import { refusal, shown } from "../parseInput.ts";
import type { ModelFacts } from "./poolMessages.ts";

export interface GateOverride {
  /** Key; absent or null: all. */
  readonly scenario?: string | null;
  /** Key; absent or null: all. */
  readonly task?: string | null;
  readonly flow: (typeof flowNames)[number];
  /** 0 (keep) to 1 (remove). */
  readonly gate: number;
}

export interface Explained {
  /** [rows, tasks] */
  readonly probabilities: Float32Array;
  /** Full and the four flows [rows, tasks, 5]. */
  readonly partialLogits: Float32Array;
  /** The applied gates, 1 removes [rows, tasks, 4]. */
  readonly gates: Float32Array;
}

/** Overrides that one request may have. */
const most = 1000;
const flows = flowNames.length;

/** Throws InvalidInputError. What depends on the model is checked by `withGates`. */
export function checkOverrides(overrides: readonly GateOverride[]): void {
  if (overrides.length > most) throw refusal("gateOverride", `at most ${most} items`, String(overrides.length));
  for (const [index, { gate }] of overrides.entries()) {
    if (gate >= 0 && gate <= 1) continue;
    throw refusal(`gateOverride[${index}].gate`, "a number from 0 to 1", String(gate));
  }
}

/**
 * The same partial logits under other gates; of several overrides of one gate the last counts. `scenario` is that of each row
 * [rows]. Throws InvalidInputError for a scenario or task that the model does not have.
 */
export function withGates(
  { partialLogits, gates }: Pick<Explained, "partialLogits" | "gates">,
  scenario: Int32Array,
  { scenarios, tasks, conditions }: ModelFacts,
  overrides: readonly GateOverride[],
): Explained {
  const T = tasks.length;
  /** [scenarios, tasks, flows]; NaN where the model's own gate stays. */
  const given = new Float32Array(scenarios.length * T * flows).fill(NaN);
  for (const [index, override] of overrides.entries()) {
    const path = `gateOverride[${index}]`;
    for (const k of placesOf(scenarios, override.scenario, `${path}.scenario`)) {
      for (const m of placesOf(tasks, override.task, `${path}.task`)) {
        given[(k * T + m) * flows + flowNames.indexOf(override.flow)] = override.gate;
      }
    }
  }
  const applied = gates.slice();
  const logits = new Float64Array(scenario.length * T);
  for (let cell = 0; cell < logits.length; cell++) {
    const own = (scenario[Math.floor(cell / T)]! * T + (cell % T)) * flows;
    let logit = partialLogits[cell * (flows + 1)]!;
    for (let flow = 0; flow < flows; flow++) {
      const other = given[own + flow]!;
      if (!Number.isNaN(other)) applied[cell * flows + flow] = other;
      logit -= applied[cell * flows + flow]! * partialLogits[cell * (flows + 1) + 1 + flow]!;
    }
    logits[cell] = logit;
  }
  const probabilities = Float32Array.from(composeLogits(logits, conditions), (logit) => 1 / (1 + Math.exp(-logit)));
  return { probabilities, partialLogits, gates: applied };
}

function placesOf(keys: readonly string[], key: string | null | undefined, path: string): number[] {
  if (key === null || key === undefined) return keys.map((_, place) => place);
  const place = keys.indexOf(key);
  if (place < 0) throw refusal(path, `one of ${keys.map(shown).join(", ")}`, shown(key));
  return [place];
}
