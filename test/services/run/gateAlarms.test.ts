import { describe, expect, it } from "vitest";
import { gateAlarmsOf } from "../../../src/services/run/gateAlarms.ts";
import type { FlowStatistic, GateStatistic, Run } from "../../../src/store/rows.ts";

const run = { hyperParameters: { search: { epochs: 10 } } } as unknown as Run;

/** What does not matter is that of a gate that has decided to keep its flow. */
function flow(changes: Partial<FlowStatistic> = {}): FlowStatistic {
  return {
    runId: "run_1",
    scenarioKey: "home",
    taskKey: "click",
    flow: "SHARED_SHARED",
    shareRemoved: 0,
    meanGate: 0,
    entropy: 0,
    saturation: 1,
    meanLogit: -1,
    ...changes,
  };
}

/** Gates that have moved and are not all the same: no reason for an alarm. */
const healthy = [flow(), flow({ flow: "SHARED_TASK", shareRemoved: 1, meanGate: 1, meanLogit: 1 })];

function history(epochs: Readonly<Record<number, readonly FlowStatistic[]>>): GateStatistic[] {
  return Object.entries(epochs).flatMap(([epoch, flows]) =>
    flows.map((statistic, id) => ({
      ...(statistic as Omit<GateStatistic, "id" | "epoch" | "temperature">),
      id,
      epoch: Number(epoch),
      temperature: 100 ** (Math.max(0, Number(epoch) - 1) / 9),
    })),
  );
}

const start = [flow({ meanLogit: 0.5, shareRemoved: 1 }), flow({ flow: "SHARED_TASK", meanLogit: -0.5 })];

describe("the gates of a run", () => {
  it("are not suspicious where they have moved, decided, and tell flows apart", () => {
    expect(gateAlarmsOf(run, healthy, history({ 0: start, 10: healthy }))).toEqual([]);
  });

  it("have collapsed where everything is removed, or all means are the same", () => {
    const removed = healthy.map((statistic, i) => ({ ...statistic, shareRemoved: 1, meanGate: 1 - 0.3 * i }));
    const whole = { kind: "COLLAPSED", scenarioKey: null, taskKey: null, flow: null };
    expect(gateAlarmsOf(run, removed, [])).toEqual([
      { ...whole, message: "every flow of every cell is removed in every row" },
    ]);
    const kept = healthy.map((statistic, i) => ({ ...statistic, shareRemoved: 0, meanGate: 0.41 + 0.01 * i }));
    expect(gateAlarmsOf(run, kept, [])).toEqual([
      { ...whole, message: "the mean gates of all cells and flows lie between 0.41 and 0.42: they tell nothing apart" },
    ]);
  });

  it("are undecided where they end the last epoch near the half, and not where half of the rows decide each way", () => {
    const near = flow({ taskKey: "like", meanGate: 0.45, entropy: 0.95, saturation: 0, shareRemoved: 0.2 });
    const split = flow({ meanGate: 0.5, entropy: 0.02, saturation: 1, shareRemoved: 0.5 });
    const flows = [near, split, ...healthy];
    expect(gateAlarmsOf(run, flows, history({ 10: flows }))).toEqual([
      {
        kind: "UNDECIDED",
        scenarioKey: "home",
        taskKey: "like",
        flow: "SHARED_SHARED",
        message:
          "SHARED_SHARED of home × like ended the search at temperature 100 with a mean gate of 0.45 with 0.95 bits of entropy",
      },
    ]);
    // A search that ended early has not seen the last temperature.
    expect(gateAlarmsOf(run, flows, history({ 6: flows }))).toEqual([]);
  });

  it("are unchanged where neither the mean logit nor the share removed has moved, whatever the temperature made of them", () => {
    const moved = flow({ flow: "SHARED_TASK", meanLogit: -1 });
    const before = flow({ meanLogit: 0.31, meanGate: 0.577, shareRemoved: 0.9 });
    const after = flow({ meanLogit: 0.32, meanGate: 1, shareRemoved: 0.91 });
    expect(gateAlarmsOf(run, [after, moved], history({ 0: [before, start[1]!], 10: [after, moved] }))).toEqual([
      {
        kind: "UNCHANGED",
        scenarioKey: "home",
        taskKey: "click",
        flow: "SHARED_SHARED",
        message:
          "SHARED_SHARED of home × click is as it was before the first step: from 0.577 to 0.579 at temperature 1, removed in 91 % of the rows",
      },
    ]);
    const spread = flow({ meanLogit: 0.31, meanGate: 1, shareRemoved: 0.6 });
    expect(gateAlarmsOf(run, [spread, moved], history({ 0: [before, start[1]!], 10: [spread, moved] }))).toEqual([]);
  });

  it("are not judged before the run has come to its end, nor compared where nothing was recorded", () => {
    expect(gateAlarmsOf(run, [], history({ 0: start, 1: start }))).toEqual([]);
    expect(gateAlarmsOf(run, healthy, history({ 0: healthy }))).toEqual([]);
    expect(gateAlarmsOf(run, healthy, history({ 10: healthy }))).toEqual([]);
  });
});
