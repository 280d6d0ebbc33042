/**
 * A short piece of a training, to know what all of it will cost: the procedure itself on some training rows, ended after
 * a few steps, then the scoring of some rows as after an epoch. What it trained is thrown away.
 */
import { rowOrder } from "../data/batches.ts";
import type { SplitRows } from "../data/spec.ts";
import type { Engine } from "../engine/engine.ts";
import { encodeCheckpoint } from "../model/checkpoint.ts";
import { createScorer } from "../serving/predictor.ts";
import { cellMetrics, type MetricDetail } from "./evaluate.ts";
import { type TrainingControl, TrainingInterrupted } from "./pacer.ts";
import type { RunSpec } from "./runSpec.ts";
import { runTraining } from "./runTraining.ts";
import { modelArraysOf, type SavedTraining } from "./trainingState.ts";
import type { TrainingInput } from "./workbench.ts";

export type ProbeInput = Pick<TrainingInput, "spec" | "plugin" | "engine" | "shape"> & {
  /** The training split. */
  readonly rows: SplitRows;
};

/** All times in seconds. */
export interface Probe {
  /** Steps that were timed. */
  readonly steps: number;
  /** Mean over them; of a full batch, or of all rows where there are fewer. */
  readonly step: number;
  /** Drawing the row order of an epoch. */
  readonly order: number;
  /** Encoding the state that is saved after an epoch, and its size. */
  readonly encode: number;
  readonly stateBytes: number;
  /** Compiling the step once, and compiling the scorer. */
  readonly compileStep: number;
  readonly compileScorer: number;
  /** Per row: its probabilities, then AUC and logloss of all cells (QUICK), or all metrics with intervals (FULL). */
  readonly predictRow: number;
  readonly measureRow: Readonly<Record<MetricDetail, number>>;
  /** Numbers that are trained. */
  readonly parameters: number;
  /** The model's file. */
  readonly checkpointBytes: number;
}

/** Steps before the timed ones: the first compiles, the second still finds code and caches cold. */
const warmUp = 2;
/** It ends once the timed steps took this long, in milliseconds; with slow steps after the first timed one. */
const timedMs = 1_500;
const mostSteps = 500;
/** Full batches in an epoch of the probe. */
const stepsPerEpoch = 8;
/** Scored rows at most. */
const sampleRows = 32_768;

/** Throws DivergedError where already the first steps explode. */
export async function probeTraining({ spec, plugin, engine, shape, rows }: ProbeInput): Promise<Probe> {
  const compiled: { step: number[]; scorer: number[] } = { step: [], scorer: [] };
  const watched: Engine = {
    name: engine.name,
    async compile(fn, inputs) {
      const { seconds, result } = await timed(() => engine.compile(fn, inputs));
      compiled["labels" in inputs ? "step" : "scorer"].push(seconds);
      return result;
    },
  };
  const { batchSize, shuffle } = spec.hyperParameters;
  // Short epochs with the same last batch, whose graph is then seen too. After each of them a few rows are scored.
  const train = firstRows(rows, stepsPerEpoch * batchSize + (rows.rows % batchSize));
  const few = firstRows(rows, 64);
  const clock = stepClock(Math.ceil(train.rows / batchSize));
  await runTraining({
    spec: withoutEnd(spec),
    plugin,
    engine: watched,
    shape,
    rows: { train, validation: few, test: few },
    hooks: {
      progress: nothing,
      metrics: nothing,
      flows: nothing,
      gates: nothing,
      balance: nothing,
      statistics: nothing,
      effects: nothing,
      verified: nothing,
    },
    control: clock.control,
  }).catch((error: unknown) => {
    if (!(error instanceof TrainingInterrupted)) throw error;
  });
  const state = clock.saved();
  const compileStep = compiled.step[0]!;

  const order = await timed(() => rowOrder({ rows: rows.rows, seed: spec.seed, epoch: 0, shuffle }));
  const encoded = await timed(() => encodeCheckpoint(state).byteLength);
  const model = { ...state, arrays: modelArraysOf(state.arrays) };
  const sample = firstRows(rows, sampleRows);
  compiled.scorer.length = 0;
  const scorer = await createScorer(watched, plugin, state);
  await scorer.predict(model.arrays, few, state.gateRule);
  const predicted = await timed(() => scorer.predict(model.arrays, sample, state.gateRule));
  const { probabilities } = predicted.result;
  const measureRow = async (detail: MetricDetail): Promise<number> => {
    const measured = await timed(() => cellMetrics("validation", sample, probabilities, shape, detail));
    return measured.seconds / sample.rows;
  };
  return {
    ...clock.times(),
    order: order.seconds,
    encode: encoded.seconds,
    stateBytes: encoded.result,
    compileStep,
    compileScorer: compiled.scorer[0]!,
    predictRow: predicted.seconds / sample.rows,
    measureRow: { QUICK: await measureRow("QUICK"), FULL: await measureRow("FULL") },
    parameters: Object.entries(state.arrays)
      .filter(([name]) => name.startsWith("training/moment1/"))
      .reduce((sum, [, { values }]) => sum + values.length, 0),
    checkpointBytes: encodeCheckpoint(model).byteLength,
  };
}

/**
 * A control that is asked after every step what it wishes, and so knows how long each took. After the last step of an
 * epoch it is asked only when the epoch has been scored: such a step does not count, unless there are no others.
 */
function stepClock(steps: number) {
  const times: number[] = [];
  let state: SavedTraining | undefined;
  const control: TrainingControl = {
    saveEverySeconds: Infinity,
    wish() {
      const now = times[times.push(performance.now()) - 1]!;
      const begun = times[warmUp - 1];
      if (times.length > mostSteps + warmUp) return "SAVE_AND_STOP";
      return begun !== undefined && now > begun && now - begun > timedMs ? "SAVE_AND_STOP" : "GO_ON";
    },
    save(saved) {
      state = saved;
      return Promise.resolve();
    },
  };
  return {
    control,
    saved(): SavedTraining {
      if (!state) throw new Error("probe: expected the training to be interrupted, but it saved nothing");
      return state;
    },
    times() {
      const taken = times.flatMap((time, i) => {
        const counts = i >= warmUp && (steps === 1 || (i + 1) % steps > 0);
        return counts ? [(time - times[i - 1]!) / 1000] : [];
      });
      return { steps: taken.length, step: taken.reduce((sum, seconds) => sum + seconds, 0) / taken.length };
    },
  };
}

/** The same steps, as many as are wanted. */
function withoutEnd(spec: RunSpec): RunSpec {
  const { hyperParameters } = spec;
  const epochs = 100_000;
  const search = { ...hyperParameters.search, epochs };
  return {
    ...spec,
    hyperParameters: { ...hyperParameters, maxEpochs: epochs, patience: epochs, search },
    budget: undefined,
    pauseAtEpoch: undefined,
  };
}

function firstRows({ rows: all, ids, numbers, scenario, labels, groups }: SplitRows, most: number): SplitRows {
  const rows = Math.min(all, most);
  return {
    rows,
    ids: ids.subarray(0, (ids.length / all) * rows),
    numbers: numbers.subarray(0, (numbers.length / all) * rows),
    scenario: scenario.subarray(0, rows),
    labels: labels.subarray(0, (labels.length / all) * rows),
    ...(groups ? { groups: groups.subarray(0, rows) } : {}),
  };
}

async function timed<T>(work: () => T | Promise<T>): Promise<{ seconds: number; result: T }> {
  const begun = performance.now();
  const result = await work();
  return { seconds: (performance.now() - begun) / 1000, result };
}

function nothing(): void {}
