/**
 * One model being trained: its arrays in native memory, the compiled step, and the update. It does batches; the order
 * of rows, epochs, temperature and stopping are the procedures' (searchProcedure.ts, epochs.ts).
 */
import type { Engine, Program } from "../engine/engine.ts";
import { Memory, type TrainedArray } from "../engine/memory.ts";
import type { NamedArray, NamedArrays } from "../model/checkpoint.ts";
import type { Model } from "../model/model.ts";
import type { ParamSpecs } from "../plugin/contract.ts";
import { createLossBalancer, type LossBalancer, type TaskWeight } from "./lossBalancing/lossBalancer.ts";
import { equalLosses } from "./lossBalancing/lossBalancing.ts";
import { type LossFunction, overFields } from "./lossFunctions.ts";
import { type LearnerBatch, StepBatch, stepBatchLengths } from "./stepBatch.ts";
import { stepFunction, stepInputs } from "./stepFunction.ts";

export interface AdamGroup {
  readonly learningRate: number;
  readonly l2: number;
}

/** β and ε of both optimisers (spec §5). */
const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

export interface LearnerOptions {
  readonly engine: Engine;
  readonly model: Model;
  /** "embedding" and every parameter and buffer the loss reads, by name; copied. */
  readonly arrays: NamedArrays;
  /** More of what the loss reads, never changed. Default: none. */
  readonly frozen?: NamedArrays;
  readonly loss: LossFunction;
  /** Default: the sum of the tasks' losses. */
  readonly balancer?: LossBalancer;
  readonly weights: AdamGroup;
  /** Absent: the gates are not trained. */
  readonly gates?: AdamGroup;
  readonly batchSize: number;
  /** Decay per step of the moving average of all weights; 0: none. */
  readonly averagingDecay: number;
  /** Seed of the dropout masks and of noise. */
  readonly seed: number;
}

/** What a learner has besides its arrays of now; with both it can be made again. */
export interface LearnerState {
  /** Updates done. */
  readonly steps: number;
  /** Of the dropout masks' random numbers [16]. */
  readonly maskState: readonly number[];
  /**
   * "now/...": weights and buffers; "moment1/...", "moment2/...": Adam's; "mean/...": the moving averages; "balance/...": what
   * the loss balancing remembers. Views.
   */
  readonly arrays: NamedArrays;
}

export class Learner {
  /** τ, read only by the search loss. */
  readonly temperature: Float32Array;
  readonly #options: LearnerOptions;
  readonly #memory: Memory;
  readonly #embedding: TrainedArray;
  readonly #parameters: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly group: AdamGroup;
    readonly array: TrainedArray;
  }[];
  readonly #buffers: readonly (NamedArray & { readonly name: string; readonly next: Float32Array })[];
  readonly #frozen: readonly (NamedArray & { readonly name: string })[];
  readonly #batch: StepBatch;
  readonly #averages: readonly (NamedArray & { readonly name: string; readonly mean: Float32Array })[];
  readonly #loss: Float32Array;
  readonly #balancer: LossBalancer;
  readonly #programs = new Map<number, Promise<Program>>();
  #steps = 0;
  #notFinite: string | undefined;

  constructor(options: LearnerOptions) {
    const { model, arrays, batchSize, weights, gates, seed } = options;
    this.#options = options;
    this.#balancer = options.balancer ?? createLossBalancer(equalLosses, { tasks: [], learningRate: 0, seed });
    const trained = { ...groupsOf(model.weights, weights), ...(gates ? groupsOf(model.gates, gates) : {}) };
    const isRead = (name: string): boolean => gates !== undefined || !name.startsWith("gate/");
    const bufferNames = Object.keys(model.buffers).filter(isRead);
    const dropout = Object.fromEntries(Object.entries(model.dropout).filter(([name]) => isRead(name)));
    const ofRows = { sizes: model.sizes, batchSize, dropout, noise: model.noise, seed };

    const lengthOf = (name: string): number => arrayOf(arrays, name).values.length;
    const averaged = options.averagingDecay > 0 ? ["embedding", ...Object.keys(trained)] : [];
    const memory = Memory.holding([
      ...["embedding", ...Object.keys(trained)].flatMap((name) => Array.from({ length: 4 }, () => lengthOf(name))),
      ...averaged.map(lengthOf),
      ...bufferNames.flatMap((name) => [lengthOf(name), lengthOf(name)]),
      1, // loss
      1, // temperature
      ...stepBatchLengths(ofRows),
    ]);
    this.#memory = memory;
    this.#embedding = copyInto(memory.trained(lengthOf("embedding")), arrayOf(arrays, "embedding"));
    this.#parameters = Object.entries(trained).map(([name, group]) => {
      const initial = arrayOf(arrays, name);
      return { name, shape: initial.shape, group, array: copyInto(memory.trained(initial.values.length), initial) };
    });
    const weightsNow = this.#weights();
    this.#averages = averaged.map((name) => {
      const { shape, values } = weightsNow[name]!;
      const mean = memory.float32(values.length);
      mean.set(values);
      return { name, shape, values, mean };
    });
    this.#buffers = bufferNames.map((name) => {
      const { shape, values } = arrayOf(arrays, name);
      const current = memory.float32(values.length);
      current.set(values);
      return { name, shape, values: current, next: memory.float32(values.length) };
    });
    this.#frozen = Object.entries(options.frozen ?? {}).map(([name, array]) => ({ name, ...array }));
    this.#batch = new StepBatch(memory, ofRows);
    this.#loss = memory.float32(1);
    this.temperature = memory.float32(1);
    this.temperature[0] = 1;
  }

  /** To be filled before `step`. */
  get batch(): LearnerBatch {
    return this.#batch.filled;
  }

  /** One step on the first `rows` rows of the batch arrays; returns the loss before the update. */
  async step(rows: number): Promise<number> {
    const { weights } = this.#options;
    await this.#computeGradients(rows);
    this.#batch.scatter(rows, this.#embedding);
    const step = ++this.#steps;
    if (!Number.isFinite(this.#loss[0]!)) this.#notFinite ??= "the loss";
    const update = (name: string, array: TrainedArray, group: AdamGroup): void => {
      const finite = this.#memory.adam(array, { ...adam, ...group, step });
      if (!finite) this.#notFinite ??= `the gradient of ${name}`;
    };
    update("embedding", this.#embedding, weights);
    for (const { name, array, group } of this.#parameters) update(name, array, group);
    for (const { values, next } of this.#buffers) values.set(next);
    // Never over more than the last half of the steps, so that the average does not drag the first values along.
    const decay = Math.min(this.#options.averagingDecay, (1 + step) / (3 + step));
    for (const { values, mean } of this.#averages) this.#memory.average(mean, values, 1 - decay);
    this.#balancer.afterStep(step);
    return this.#loss[0]!;
  }

  /** The next step is the first of an epoch: what the tasks weigh is counted anew. */
  beginEpoch(): void {
    this.#balancer.beginEpoch();
  }

  /** What the loss of each task weighed, on average over the steps of the epoch; empty without a balancer of its own. */
  epochWeights(): readonly TaskWeight[] {
    return this.#balancer.epochWeights();
  }

  /** Loss and gradients by name on the first `rows` rows, without an update: for parity checks. */
  async gradients(rows: number): Promise<{ loss: number; gradients: NamedArrays }> {
    await this.#computeGradients(rows);
    this.#batch.scatter(rows, this.#embedding);
    const all = this.#trained();
    const gradients = Object.fromEntries(
      all.map(({ name, shape, array }) => [name, { shape, values: array.gradient.slice() }]),
    );
    for (const { array } of all) array.gradient.fill(0);
    return { loss: this.#loss[0]!, gradients };
  }

  /** The first number that a step found not to be finite: the training has diverged, the weights are spoilt. */
  get notFinite(): string | undefined {
    return this.#notFinite;
  }

  /** All there is to know of it; with `restore` a new learner of the same kind goes on bitwise the same. */
  state(): LearnerState {
    const trained = this.#trained();
    const moment = (of: "moment1" | "moment2") =>
      trained.map(({ name, shape, array }) => [`${of}/${name}`, { shape, values: array[of] }] as const);
    const now = Object.entries(this.current()).map(([name, array]) => [`now/${name}`, array] as const);
    const means = this.#averages.map(({ name, shape, mean }) => [`mean/${name}`, { shape, values: mean }] as const);
    const balance = Object.entries(this.#balancer.state).map(([name, array]) => [`balance/${name}`, array] as const);
    return {
      steps: this.#steps,
      maskState: [...this.#batch.maskState],
      arrays: Object.fromEntries([...now, ...moment("moment1"), ...moment("moment2"), ...means, ...balance]),
    };
  }

  /** Goes on from where another learner of the same model and options was. */
  restore({ steps, maskState, arrays }: LearnerState): void {
    this.#steps = steps;
    this.#batch.maskState.set(maskState);
    for (const [name, { values }] of Object.entries(this.state().arrays)) values.set(arrayOf(arrays, name).values);
  }

  /** "embedding", all parameters and buffers as they are now: views that change with the next step. */
  current(): NamedArrays {
    const buffers = this.#buffers.map(({ name, shape, values }) => [name, { shape, values }] as const);
    return { ...this.#weights(), ...Object.fromEntries(buffers) };
  }

  /** What a training keeps: `current` with the moving averages in place of the weights, where it averages. */
  kept(): NamedArrays {
    const averages = this.#averages.map(({ name, shape, mean }) => [name, { shape, values: mean }] as const);
    return { ...this.current(), ...Object.fromEntries(averages) };
  }

  async release(): Promise<void> {
    for (const program of this.#programs.values()) await (await program).release();
    this.#programs.clear();
  }

  #trained(): { name: string; shape: readonly number[]; array: TrainedArray }[] {
    const { shape } = arrayOf(this.#options.arrays, "embedding");
    return [{ name: "embedding", shape, array: this.#embedding }, ...this.#parameters];
  }

  #weights(): NamedArrays {
    const weights = this.#trained().map(({ name, shape, array }) => [name, { shape, values: array.values }] as const);
    return Object.fromEntries(weights);
  }

  async #computeGradients(rows: number): Promise<void> {
    this.#batch.prepare(rows, this.#embedding.values, this.#steps);
    const inputs: Record<string, Float32Array> = { ...this.#batch.inputs(rows), temperature: this.temperature };
    const outputs: Record<string, Float32Array> = { ...this.#batch.outputs(rows), loss: this.#loss };
    for (const { name, array } of this.#parameters) {
      inputs[`p/${name}`] = array.values;
      outputs[`gradient/${name}`] = array.gradient;
    }
    for (const { name, values, next } of this.#buffers) {
      inputs[`p/${name}`] = values;
      outputs[`buffer/${name}`] = next;
    }
    for (const { name, values } of this.#frozen) inputs[`p/${name}`] = values;
    for (const [name, values] of Object.entries(this.#balancer.inputs(this.#steps))) inputs[`balance/${name}`] = values;
    for (const [name, values] of Object.entries(this.#balancer.outputs)) outputs[`balance/${name}`] = values;
    const program = await this.#program(rows);
    await program.run(inputs, outputs);
  }

  /** A graph of fixed size is faster than one for any size, and there are only two sizes: full batches and the last. */
  #program(rows: number): Promise<Program> {
    let program = this.#programs.get(rows);
    if (!program) {
      const { loss, model, engine } = this.#options;
      const held = { parameters: this.#parameters, buffers: this.#buffers, masks: this.#batch.sites };
      const arrays = { ...held, frozen: this.#frozen, rule: this.#balancer.rule };
      program = engine.compile(stepFunction(overFields(model, loss), arrays), stepInputs(model.sizes, arrays, rows));
      this.#programs.set(rows, program);
    }
    return program;
  }
}

/** Each parameter with its rate. */
function groupsOf(params: ParamSpecs, { learningRate, l2 }: AdamGroup): Record<string, AdamGroup> {
  const entries = Object.entries(params).map(([name, { learningRateFactor = 1 }]) => [
    name,
    { learningRate: learningRate * learningRateFactor, l2 },
  ]);
  return Object.fromEntries(entries) as Record<string, AdamGroup>;
}

function arrayOf(arrays: NamedArrays, name: string): NamedArray {
  const found = arrays[name];
  if (!found) throw new Error(`learner: the array ${name} is missing`);
  return found;
}

function copyInto(array: TrainedArray, { values }: NamedArray): TrainedArray {
  array.values.set(values);
  return array;
}
