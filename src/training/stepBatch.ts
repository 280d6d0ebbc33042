/**
 * What a step reads of its rows, in native memory: the batch as the caller fills it, the embeddings gathered for it, and
 * what is drawn for dropout and noise.
 */
import type { BatchArrays } from "../data/batches.ts";
import type { Memory, TrainedArray } from "../engine/memory.ts";
import { type RowSlots, rowSlots } from "../model/rowSlots.ts";
import type { ModelSizes } from "../model/spec.ts";
import type { DropoutSpecs, NoiseSpecs } from "../plugin/contract.ts";
import { createRandom } from "../random.ts";
import { fillNormal } from "./noise.ts";

/** One batch, filled by the caller before a step; sized for a full batch. */
export interface LearnerBatch extends BatchArrays {
  /** Hard gates [batch, 4T]; read only by the retrain loss. */
  readonly gates: Float32Array;
}

export interface StepBatchOptions {
  readonly sizes: ModelSizes;
  readonly batchSize: number;
  readonly dropout: DropoutSpecs;
  readonly noise: NoiseSpecs;
  /** Of dropout masks and noise. */
  readonly seed: number;
}

/** Lengths of the blocks that a `StepBatch` takes. */
export function stepBatchLengths({ sizes, batchSize, dropout, noise }: StepBatchOptions): number[] {
  const { embeddingDim, scenarios, tasks } = sizes;
  const { ids, numbers, pooled } = rowSlots(sizes);
  const width = ids * embeddingDim;
  const perRow = [...Object.values(dropout), ...Object.values(noise)].map((site) => site.width);
  const ofRow = [ids, numbers, pooled, width, width, scenarios, tasks, 4 * tasks, ...perRow];
  return [16, ...ofRow.map((n) => batchSize * n)];
}

export class StepBatch {
  readonly filled: LearnerBatch;
  /** Dropout and noise sites with their widths. */
  readonly sites: readonly { readonly name: string; readonly width: number }[];
  /** Of the dropout masks' random numbers [16]. */
  readonly maskState: Int32Array;
  readonly #options: StepBatchOptions;
  readonly #memory: Memory;
  readonly #slots: RowSlots;
  readonly #present: Float32Array;
  readonly #features: Float32Array;
  readonly #featureGradients: Float32Array;
  readonly #scenarioOneHot: Float32Array;
  readonly #masks: readonly { readonly name: string; readonly rate: number; readonly values: Float32Array }[];
  readonly #noise: readonly { readonly name: string; readonly std: number; readonly values: Float32Array }[];

  /** `memory` has room for `stepBatchLengths`. */
  constructor(memory: Memory, options: StepBatchOptions) {
    const { sizes, batchSize, dropout, noise, seed } = options;
    const { embeddingDim, scenarios, tasks } = sizes;
    this.#options = options;
    this.#memory = memory;
    this.#slots = rowSlots(sizes);
    const { ids, numbers, pooled } = this.#slots;
    this.sites = Object.entries({ ...dropout, ...noise }).map(([name, { width }]) => ({ name, width }));
    this.#masks = Object.entries(dropout).map(([name, { width, rate }]) => ({
      name,
      rate,
      values: memory.float32(batchSize * width),
    }));
    this.#noise = Object.entries(noise).map(([name, { width, std }]) => ({
      name,
      std,
      values: memory.float32(batchSize * width),
    }));
    const random = createRandom(seed, "dropout");
    this.maskState = memory.int32(16);
    for (let i = 0; i < 16; i++) this.maskState[i] = random.bits();
    this.#scenarioOneHot = memory.float32(batchSize * scenarios);
    this.#features = memory.float32(batchSize * ids * embeddingDim);
    this.#featureGradients = memory.float32(batchSize * ids * embeddingDim);
    this.#present = memory.float32(batchSize * pooled);
    this.filled = {
      ids: memory.int32(batchSize * ids),
      numbers: memory.float32(batchSize * numbers),
      scenario: new Int32Array(batchSize),
      labels: memory.float32(batchSize * tasks),
      gates: memory.float32(batchSize * 4 * tasks),
    };
  }

  /** Gathers the first `rows` rows from the table [ids, e], and draws for the step of that number (from 0). */
  prepare(rows: number, table: Float32Array, step: number): void {
    const { embeddingDim, scenarios } = this.#options.sizes;
    this.#memory.gather(this.#ids(rows), table, embeddingDim, this.#features);
    this.#slots.fillPresent(this.#ids(rows), this.#present);
    this.#scenarioOneHot.fill(0);
    for (let row = 0; row < rows; row++) this.#scenarioOneHot[row * scenarios + this.filled.scenario[row]!] = 1;
    for (const { values, rate } of this.#masks) this.#memory.dropoutMask(values, rate, this.maskState);
    // A stream for every step, so that a training that goes on needs to know nothing but the step.
    for (const { name, std, values } of this.#noise) {
      fillNormal(values, std, createRandom(this.#options.seed, `noise ${name} of step ${step}`));
    }
  }

  /** What the step function reads of the rows, by name. Views. */
  inputs(rows: number): Record<string, Float32Array> {
    const { embeddingDim, scenarios, tasks } = this.#options.sizes;
    const { ids, numbers, pooled } = this.#slots;
    const perRow = (values: Float32Array): Float32Array =>
      values.subarray(0, (values.length / this.#options.batchSize) * rows);
    const drawn = [...this.#masks, ...this.#noise].map(({ name, values }) => [`mask/${name}`, perRow(values)] as const);
    return {
      features: this.#features.subarray(0, rows * ids * embeddingDim),
      ...(pooled > 0 ? { present: perRow(this.#present) } : {}),
      ...(numbers > 0 ? { numbers: perRow(this.filled.numbers) } : {}),
      scenarioOneHot: this.#scenarioOneHot.subarray(0, rows * scenarios),
      labels: this.filled.labels.subarray(0, rows * tasks),
      gates: this.filled.gates.subarray(0, rows * 4 * tasks),
      ...Object.fromEntries(drawn),
    };
  }

  /** What the step function writes for the rows, by name. Views. */
  outputs(rows: number): Record<string, Float32Array> {
    const width = this.#slots.ids * this.#options.sizes.embeddingDim;
    return { featureGradients: this.#featureGradients.subarray(0, rows * width) };
  }

  /** Adds the gradients of the gathered embeddings to those of the table. */
  scatter(rows: number, table: TrainedArray): void {
    this.#memory.scatterAdd(this.#ids(rows), this.#featureGradients, this.#options.sizes.embeddingDim, table.gradient);
  }

  #ids(rows: number): Int32Array {
    return this.filled.ids.subarray(0, rows * this.#slots.ids);
  }
}
