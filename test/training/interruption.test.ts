import { describe, expect, it } from "vitest";
import type { TrainingControl } from "../../src/training/pacer.ts";
import type { SavedTraining } from "../../src/training/trainingState.ts";
import { hyperParameters, newRecording, train } from "./tinyTraining.ts";

/** Keeps every state; wishes nothing. */
function keeper() {
  const states: SavedTraining[] = [];
  const control: TrainingControl = {
    saveEverySeconds: 3600,
    wish: () => "GO_ON",
    save: async (state) => void states.push(structuredClone(state)),
  };
  return { states, control };
}

describe("a training with a budget", () => {
  it("of epochs ends with the best model of those", async () => {
    const record = newRecording();
    const { stopReason } = await train({ budget: { epochs: 2 }, record });
    expect(stopReason).toBe("BUDGET_EPOCHS");
    expect(record.events.map(({ summary }) => summary?.epoch)).toEqual([1, 2, undefined]);
    const withTwo = await train({ hyperParameters: { ...hyperParameters, maxEpochs: 2 } });
    const withBudget = await train({ budget: { epochs: 2 } });
    expect(withBudget.checkpoint).toEqual(withTwo.checkpoint);
    expect(withTwo.stopReason).toBe("COMPLETED");
  });

  it("of seconds that were used up before it was interrupted keeps the weights it had come to, not the first ones", async () => {
    let saved: SavedTraining | undefined;
    const control: TrainingControl = {
      saveEverySeconds: 0,
      wish: () => (saved ? "STOP" : "GO_ON"),
      save: async (state) => void (saved = structuredClone(state)),
    };
    await expect(train({ control })).rejects.toMatchObject({ reason: "STOPPED" });
    const { stopReason, checkpoint } = await train({ budget: { seconds: 1e-6 }, saved });
    expect(stopReason).toBe("BUDGET_SECONDS");
    expect(checkpoint.arrays["embedding"]!.values).toEqual(saved!.arrays["training/mean/embedding"]!.values);
  });

  it("of seconds ends when they are over, with whatever is best by then", async () => {
    const { stopReason, checkpoint } = await train({ budget: { seconds: 1e-6 } });
    expect(stopReason).toBe("BUDGET_SECONDS");
    expect(checkpoint.arrays["embedding"]!.values.every(Number.isFinite)).toBe(true);
  });

  it("that is a search has soft gates at the temperature it came to", async () => {
    const { checkpoint, stopReason } = await train({ kind: "SEARCH", budget: { epochs: 2 } });
    expect(checkpoint.gateRule).toEqual({ kind: "SOFT", temperature: 10 });
    expect(stopReason).toBe("BUDGET_EPOCHS");
  });
});

describe("a training that pauses at an epoch", () => {
  it("is saved and interrupted there, and goes on to the same end", async () => {
    const { states, control } = keeper();
    await expect(train({ pauseAtEpoch: 2, control })).rejects.toMatchObject({ reason: "PAUSED_AT_EPOCH" });
    expect(states.map(({ training }) => training.epoch)).toEqual([1, 2]);
    // As after a kill between the save and the pause.
    await expect(train({ pauseAtEpoch: 2, control, saved: states.at(-1)! })).rejects.toMatchObject({
      reason: "PAUSED_AT_EPOCH",
    });
    const resumed = await train({ control, saved: states.at(-1)! });
    expect(resumed.checkpoint).toEqual((await train({})).checkpoint);
  });

  it("does not pause where it ends anyway", async () => {
    const { control } = keeper();
    const { stopReason } = await train({ pauseAtEpoch: 2, budget: { epochs: 2 }, control });
    expect(stopReason).toBe("BUDGET_EPOCHS");
  });
});

describe("a training whose numbers explode", () => {
  it("stops with the place and the tensor", async () => {
    const { states, control } = keeper();
    await expect(train({ pauseAtEpoch: 1, control })).rejects.toMatchObject({ reason: "PAUSED_AT_EPOCH" });
    const saved = states[0]!;
    for (const [name, { values }] of Object.entries(saved.arrays)) {
      if (name.startsWith("training/now/backbone/")) values.fill(1e30);
    }
    await expect(train({ control, saved })).rejects.toMatchObject({
      code: "DIVERGED",
      message: expect.stringMatching(
        /^train: the (loss|gradient of [\w/.]+) is not finite any more in epoch 2, step 1$/,
      ),
    });
    expect(states).toHaveLength(1);
  });
});

describe("a training on one cell", () => {
  it("has the metrics of that cell alone, and predictions of its rows", async () => {
    const record = newRecording();
    const { checkpoint, predictions } = await train({ cell: { scenario: "search", task: "like" }, record });
    expect(checkpoint.shape).toMatchObject({ scenarios: ["search"], tasks: ["like"] });
    const cells = new Set(
      record.events.flatMap(({ metrics }) => metrics.map(({ scenario, task }) => `${scenario} ${task}`)),
    );
    expect([...cells]).toEqual(["search like"]);
    expect(predictions.length).toBeGreaterThan(100);
    expect(predictions.length).toBeLessThan(200);
  });
});
