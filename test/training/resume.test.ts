import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/random.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/model/checkpoint.ts";
import type { GateEpoch, LossWeights, MetricsEvent } from "../../src/training/events.ts";
import { type TrainingControl, TrainingInterrupted } from "../../src/training/pacer.ts";
import type { TrainingResult } from "../../src/training/runTraining.ts";
import { defaultHyperParameters } from "../../src/training/hyperParameters.ts";
import type { SavedTraining } from "../../src/training/trainingState.ts";
import { autoIfs, hyperParameters, newRecording, train, type TinyTraining } from "./tinyTraining.ts";

/** Through the bytes of a file, as between two processes. */
function throughFile(state: SavedTraining): SavedTraining {
  return decodeCheckpoint(encodeCheckpoint(state)) as SavedTraining;
}

/**
 * Trains in as many attempts as it takes when each is interrupted after a few steps: by a wish to save and stop, or
 * dead at once, so that the next goes on from whatever was saved last.
 */
async function inManyAttempts(training: TinyTraining, seed: number) {
  const random = createRandom(seed, "attempts");
  const metrics = new Map<number | null, MetricsEvent>();
  const gates = new Map<number, GateEpoch>();
  const balance = new Map<number, LossWeights>();
  let saved: SavedTraining | undefined;
  for (let attempts = 1; ; attempts++) {
    let questions = 0;
    const lasts = 2 + (random.bits() % 9);
    const isSudden = random.bits() % 3 === 0;
    const record = newRecording();
    const control: TrainingControl = {
      saveEverySeconds: 0.005,
      wish: () => (questions++ < lasts ? "GO_ON" : isSudden ? "STOP" : "SAVE_AND_STOP"),
      save: async (state) => void (saved = throughFile(state)),
    };
    const finished = await train({ ...training, control, saved, record }).catch((error: unknown) => {
      if (error instanceof TrainingInterrupted) return undefined;
      throw error;
    });
    for (const event of record.events) metrics.set(event.summary?.epoch ?? null, event);
    for (const epoch of record.gates) gates.set(epoch.epoch, epoch);
    for (const weights of record.balance) balance.set(weights.epoch, weights);
    if (!finished) continue;
    const { flows, effects } = record;
    const epochs = { history: [...metrics.values()], gates: [...gates.values()], balance: [...balance.values()] };
    return { finished, attempts, flows, effects, ...epochs };
  }
}

const bytesOf = ({ checkpoint }: TrainingResult) => Buffer.from(encodeCheckpoint(checkpoint)).toString("base64");

describe("a training that is interrupted again and again", () => {
  const hyper = { ...hyperParameters, maxEpochs: 4 };
  const eager = { ...autoIfs, batchNorm: true, dropout: 0.2 };
  const cases: Record<string, TinyTraining> = {
    "a search with batch norm, dropout and GradNorm": {
      kind: "SEARCH",
      head: eager,
      hyperParameters: {
        ...hyperParameters,
        lossBalancing: { kind: "GRADNORM", asymmetry: 1.5, learningRate: 0.025 },
      },
    },
    "a search whose gates belong to cells and are measured, its losses weighed by their uncertainty": {
      kind: "SEARCH",
      head: { ...eager, gates: "CELL" },
      hyperParameters: {
        ...hyper,
        lossBalancing: { kind: "UNCERTAINTY" },
        search: { ...defaultHyperParameters("RECOMMENDED").search, epochs: 5, rewindEpoch: 2 },
      },
    },
    "towers with field dropout, averaged weights and projected gradients": {
      hyperParameters: { ...hyper, lossBalancing: { kind: "PCGRAD" } },
    },
  };
  it.each(Object.entries(cases))(
    "ends with bitwise the same weights and the same history as one that never was: %s",
    async (_, training) => {
      const record = newRecording();
      const undisturbed = await train({ ...training, record });
      const disturbed = await inManyAttempts(training, 1);
      expect(disturbed.attempts).toBeGreaterThan(3);
      expect(disturbed.history).toEqual(record.events);
      expect(disturbed.flows).toEqual(record.flows);
      expect(disturbed.gates).toEqual(record.gates);
      expect(disturbed.balance).toEqual(record.balance);
      expect(Object.keys(undisturbed.checkpoint.arrays).filter((name) => name.includes("balance"))).toEqual([]);
      expect(disturbed.effects).toEqual(record.effects);
      expect(bytesOf(disturbed.finished)).toBe(bytesOf(undisturbed));
      expect(disturbed.finished.predictions).toEqual(undisturbed.predictions);
    },
  );

  it("and so does a prune, from the checkpoint of its search, its losses balanced anew", async () => {
    const parent = (await train({ kind: "SEARCH", head: eager })).checkpoint;
    const hyperParameters = { ...hyper, lossBalancing: { kind: "UNCERTAINTY" } } as const;
    const training = { kind: "PRUNE", head: eager, parent, hyperParameters } as const;
    const record = newRecording();
    const undisturbed = await train({ ...training, record });
    const disturbed = await inManyAttempts(training, 2);
    expect(disturbed.attempts).toBeGreaterThan(3);
    expect(disturbed.history).toEqual(record.events);
    expect(disturbed.balance).toEqual(record.balance);
    expect(bytesOf(disturbed.finished)).toBe(bytesOf(undisturbed));
  });
});

describe("what a training saves", () => {
  it("is saved at the end of every epoch, and between where an epoch lasts longer than asked", async () => {
    const places: string[] = [];
    const save = async ({ training: { epoch, step } }: SavedTraining) => void places.push(`${epoch}/${step}`);
    const control: TrainingControl = { saveEverySeconds: 3600, wish: () => "GO_ON", save };
    await train({ hyperParameters: { ...hyperParameters, maxEpochs: 2 }, control });
    expect(places).toEqual(["1/0", "2/0"]);

    await train({
      hyperParameters: { ...hyperParameters, maxEpochs: 1 },
      control: { ...control, saveEverySeconds: 0 },
    });
    expect(places.slice(2)).toEqual([...Array.from({ length: 15 }, (_, step) => `0/${step + 1}`), "1/0"]);
  });

  it("is also the best model so far: bytes a predictor can be made of", async () => {
    const states: SavedTraining[] = [];
    const save = async (state: SavedTraining) => void states.push(throughFile(state));
    const control: TrainingControl = { saveEverySeconds: 3600, wish: () => "GO_ON", save };
    const { checkpoint } = await train({ hyperParameters: { ...hyperParameters, maxEpochs: 3 }, control });
    for (const [name, { values }] of Object.entries(checkpoint.arrays)) {
      expect(states.at(-1)!.arrays[name]!.values).toEqual(values);
    }
  });
});
