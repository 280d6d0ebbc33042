import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/client/index.ts";
import { progressLine } from "../../src/cli/progressLine.ts";

const nothing = {
  sequence: 1,
  at: "",
  kind: "STATE",
  state: null,
  progress: null,
  epoch: null,
  checkpoint: null,
} as const;
const came = (state: "RUNNING" | "SUCCEEDED", stopReason: "BUDGET_SECONDS" | null = null): RunEvent => ({
  ...nothing,
  state: { state, attempt: 1, stopReason, error: null },
});
const epoch: RunEvent = { ...nothing, epoch: { phase: "RETRAIN", epoch: 1, epochs: 2, meanAuc: 0.7012, score: 0.7 } };
const progress: RunEvent = {
  ...nothing,
  progress: {
    phase: "RETRAIN",
    epoch: 2,
    epochs: 2,
    step: 5,
    steps: 10,
    samplesPerSecond: 53_012,
    loss: 0.45119,
    temperature: null,
    secondsLeft: 64.4,
  },
};

function drawn(events: readonly RunEvent[], terminal: { isTTY?: boolean; columns?: number }): string {
  let text = "";
  const line = progressLine({ write: (more) => (text += more), ...terminal });
  for (const event of events) line.show(event);
  line.end();
  return text;
}

describe("the line of progress", () => {
  it("is drawn over and over on a terminal, and gone at the end", () => {
    const line = "retrain 2/2 ███████████████░░░░░ 75 %  53,012 rows/s  loss 0.4512  AUC 0.7012  1 min 4 s left";
    const clear = "\r\x1b[2K";
    expect(
      drawn([came("RUNNING"), epoch, progress, progress, came("SUCCEEDED", "BUDGET_SECONDS")], { isTTY: true }),
    ).toBe(`RUNNING\n${line}${clear}${line}${clear}SUCCEEDED (BUDGET_SECONDS)\n`);
  });

  it("is never longer than the terminal is wide", () => {
    expect(drawn([progress], { isTTY: true, columns: 21 })).toBe("retrain 2/2 ████████\r\x1b[2K");
  });

  it("is a line per epoch and change elsewhere", () => {
    expect(drawn([came("RUNNING"), progress, epoch, came("SUCCEEDED")], {})).toBe(
      "RUNNING\nretrain epoch 1/2: validation AUC 0.7012\nSUCCEEDED\n",
    );
  });
});
