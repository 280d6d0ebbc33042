/** What is suspicious about the gates of a run, from what was recorded of them. Nothing is measured here. */
import type { FlowStatistic, GateStatistic, Run } from "../../store/rows.ts";
import { hyperParametersOf } from "../stored.ts";

export interface GateAlarm {
  readonly kind: "COLLAPSED" | "UNDECIDED" | "UNCHANGED";
  /** Null together with task and flow: all of them. */
  readonly scenarioKey: string | null;
  readonly taskKey: string | null;
  readonly flow: FlowStatistic["flow"] | null;
  readonly message: string;
}

/** Gates closer together than this are the same, and a gate that moved less has not moved. */
const same = 0.02;
/** Mean gates between these that have more than so many bits of entropy are neither kept nor removed. */
const undecided = { low: 0.3, high: 0.7, entropy: 0.8 };

/**
 * `flows`: the run's end; without them it has not come to it, and there are no alarms. `history`: after each epoch of
 * a search, ascending; empty for other runs. The alarm of the whole run comes first, then those of its flows.
 */
export function gateAlarmsOf(
  run: Run,
  flows: readonly FlowStatistic[],
  history: readonly GateStatistic[],
): GateAlarm[] {
  if (flows.length === 0) return [];
  const lastEpoch = history.at(-1)?.epoch ?? 0;
  const last = history.filter(({ epoch }) => epoch === lastEpoch);
  const first = new Map(history.filter(({ epoch }) => epoch === 0).map((gate) => [placeOf(gate), gate]));
  // A search that ended before its last epoch has not seen the temperature that decides.
  const isDecided = lastEpoch > 0 && lastEpoch === hyperParametersOf(run).search.epochs;
  return [
    ...collapsed(flows),
    ...last.flatMap((gate) => [
      ...(isDecided ? undecidedAlarm(gate) : []),
      ...(lastEpoch > 0 ? unchangedAlarm(first.get(placeOf(gate)), gate) : []),
    ]),
  ];
}

function collapsed(flows: readonly FlowStatistic[]): GateAlarm[] {
  const [lowest, highest] = [Math.min, Math.max].map((most) => most(...flows.map(({ meanGate }) => meanGate)));
  const all = flows.every(({ shareRemoved }) => shareRemoved === 1);
  const message = all
    ? "every flow of every cell is removed in every row"
    : `the mean gates of all cells and flows lie between ${figure(lowest!)} and ${figure(highest!)}: they tell nothing apart`;
  if (!all && highest! - lowest! >= same) return [];
  return [{ kind: "COLLAPSED", scenarioKey: null, taskKey: null, flow: null, message }];
}

function undecidedAlarm(gate: GateStatistic): GateAlarm[] {
  const { meanGate, entropy, temperature } = gate;
  const { low, high } = undecided;
  if (meanGate < low || meanGate > high || entropy < undecided.entropy) return [];
  const figures = `a mean gate of ${figure(meanGate)} with ${figure(entropy)} bits of entropy`;
  return [alarm("UNDECIDED", gate, `ended the search at temperature ${figure(temperature)} with ${figures}`)];
}

/** Compared at temperature 1: a higher one moves gates that have learned nothing. */
function unchangedAlarm(before: GateStatistic | undefined, gate: GateStatistic): GateAlarm[] {
  if (!before) return [];
  const [from, to] = [logistic(before.meanLogit), logistic(gate.meanLogit)];
  const isSame = Math.abs(to - from) < same && Math.abs(gate.shareRemoved - before.shareRemoved) < same;
  if (!isSame) return [];
  const figures = `from ${figure(from)} to ${figure(to)} at temperature 1, removed in ${percent(gate.shareRemoved)} of the rows`;
  return [alarm("UNCHANGED", gate, `is as it was before the first step: ${figures}`)];
}

function alarm(kind: GateAlarm["kind"], { scenarioKey, taskKey, flow }: GateStatistic, says: string): GateAlarm {
  return { kind, scenarioKey, taskKey, flow, message: `${flow} of ${scenarioKey} × ${taskKey} ${says}` };
}

/** Neither key may hold a slash. */
function placeOf({ scenarioKey, taskKey, flow }: GateStatistic): string {
  return `${scenarioKey}/${taskKey}/${flow}`;
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Three digits after the point at most. */
function figure(value: number): string {
  return String(Number(value.toFixed(3)));
}

function percent(share: number): string {
  return `${figure(100 * share)} %`;
}
