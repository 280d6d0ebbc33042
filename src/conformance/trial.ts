/**
 * The rig of the contract suite: a backbone built at small sizes, with parameters and rows, run eagerly on tfjs `cpu`.
 * It knows how to run a backbone, not what is right.
 */
import * as tf from "@tensorflow/tfjs"; // all of it: the core alone has no gradients under Node
import { initialise } from "../model/initialise.ts";
import type { Backbone, BackbonePlugin, BackboneSizes, Params } from "../plugin/contract.ts";
import { createRandom } from "../random.ts";

export interface Row {
  /** [inputDim] */
  readonly features: readonly number[];
  readonly scenario: number;
}

export interface Trial {
  readonly backbone: Backbone;
  readonly sizes: BackboneSizes;
  /** Trained parameters, by name. */
  readonly params: Params;
  readonly buffers: Params;
}

export interface TrialOptions {
  /** What is given to the plugin's schema; the defaults fill the rest. Default {}. */
  readonly config?: unknown;
  /** Default 3 fields of 4, 3 scenarios, 2 tasks. */
  readonly sizes?: Partial<Omit<BackboneSizes, "inputDim">>; // columns are named field0, field1 ...
  /** Default 1. */
  readonly seed?: number;
  /** Added to every initial value as U(-spread, spread), so that nothing stays zero or tied. Default 0.3. */
  readonly spread?: number;
}

/** The rules compute on tfjs `cpu`, the reference. */
export async function useReferenceBackend(): Promise<void> {
  await tf.setBackend("cpu");
  // At its first use it would print an advertisement.
  Object.assign(tf.backend(), { firstUse: false });
}

/** Numbers in [-1, 1) from a seed. */
export function numbersFrom(seed: number): () => number {
  const random = createRandom(seed, "trial");
  return () => 2 * random.uniform() - 1;
}

export function setUp(plugin: BackbonePlugin, options: TrialOptions = {}): Trial {
  const { config = {}, sizes: given = {}, seed = 1, spread = 0.3 } = options;
  const chosen = { fields: 3, embeddingDim: 4, scenarios: 3, tasks: 2, ...given };
  const columns = Array.from({ length: chosen.fields }, (_, f) => `field${f}`);
  const sizes = { columns, ...chosen, inputDim: chosen.fields * chosen.embeddingDim };
  const backbone = plugin.build(sizes, plugin.config.parse(config));
  const random = numbersFrom(seed);
  const initial = initialise(backbone.params, seed);
  return {
    backbone,
    sizes,
    params: tensors(initial, ({ shape, values }) =>
      tf.tensor(
        values.map((value) => value + spread * random()),
        [...shape],
      ),
    ),
    buffers: tensors(backbone.buffers ?? {}, ({ shape, value }) =>
      // Away from 0 and 1, and positive as a variance must be.
      tf.tensor(
        Array.from({ length: sizeOf(shape) }, () => value + 0.5 + spread * random()),
        [...shape],
      ),
    ),
  };
}

/** `count` rows with features in [-1, 1), scenarios in turn. */
export function makeRows({ sizes }: Pick<Trial, "sizes">, count: number, seed = 7): Row[] {
  const random = numbersFrom(seed);
  return Array.from({ length: count }, (_, b) => ({
    features: Array.from({ length: sizes.inputDim }, random),
    scenario: b % sizes.scenarios,
  }));
}

export interface Batch {
  /** [batch, inputDim] */
  readonly features: tf.Tensor2D;
  /** [batch, scenarios] */
  readonly scenarioOneHot: tf.Tensor2D;
}

export function toBatch({ sizes }: Pick<Trial, "sizes">, rows: readonly Row[]): Batch {
  return {
    features: tf.tensor2d(
      rows.flatMap((row) => row.features),
      [rows.length, sizes.inputDim],
    ),
    scenarioOneHot: tf.tensor2d(
      rows.flatMap((row) => Array.from({ length: sizes.scenarios }, (_, s) => Number(s === row.scenario))),
      [rows.length, sizes.scenarios],
    ),
  };
}

export interface RunOptions {
  /** Default false. */
  readonly training?: boolean;
  /** Told every name that is read, masked or updated. */
  readonly onUse?: (name: string) => void;
}

export interface RunResult {
  /** One per task, or one for all. */
  readonly representations: readonly tf.Tensor2D[];
  readonly auxiliaryLosses: Readonly<Record<string, tf.Tensor>>;
  /** [batch, tasks]; absent: the backbone gives none. */
  readonly logitBias?: tf.Tensor2D;
  readonly statistics: Readonly<Record<string, tf.Tensor2D>>;
}

/** One forward pass. Dropout and noise are checked and left out, so that training and evaluation can be compared. */
export function run({ backbone, sizes, params, buffers }: Trial, batch: Batch, options: RunOptions = {}): RunResult {
  const { training = false, onUse = () => {} } = options;
  const known: Params = { ...params, ...buffers };
  const output = backbone.forward(
    new Proxy(known, {
      get(_, name: string) {
        onUse(name);
        if (!(name in known)) throw new Error(`parameter "${name}": read by forward but not declared`);
        return known[name];
      },
    }),
    {
      ...batch,
      fields: tf.reshape(batch.features, [-1, sizes.fields, sizes.embeddingDim]),
      training,
      dropout(site, x) {
        onUse(site);
        const width = backbone.dropout?.[site]?.width;
        if (width !== x.shape[1])
          throw new Error(`dropout site "${site}": declared with width ${width}, got ${x.shape}`);
        return x;
      },
      addNoise(site, x) {
        onUse(site);
        const width = backbone.noise?.[site]?.width;
        if (width !== x.shape[1]) throw new Error(`noise site "${site}": declared with width ${width}, got ${x.shape}`);
        return x;
      },
      updateBuffer(name, value) {
        onUse(name);
        const shape = backbone.buffers?.[name]?.shape;
        if (`${shape}` !== `${value.shape}`)
          throw new Error(`buffer "${name}": declared [${shape}], got [${value.shape}]`);
      },
    },
  );
  const given = "representations" in output ? output : { representations: output };
  const { representations, auxiliaryLosses = {}, statistics = {}, ...bias } = given;
  const listed = representations instanceof tf.Tensor ? [representations] : representations;
  return { representations: listed, auxiliaryLosses, statistics, ...bias };
}

/** The representations, and the logits' bias where there is one, as plain numbers, row by row: [batch][all side by side]. */
export function rowOutputs(trial: Trial, rows: readonly Row[], options: RunOptions = {}): number[][] {
  return tf.tidy(() => tf.concat(outputsOf(run(trial, toBatch(trial, rows), options)), 1).arraySync());
}

/** Everything that reaches a head, each [batch, ...]. */
export function outputsOf({ representations, logitBias }: RunResult): tf.Tensor2D[] {
  return [...representations, ...(logitBias ? [logitBias] : [])];
}

/** A scalar that depends on every number in `outputs`: their sum under fixed random weights. */
export function probe(outputs: readonly tf.Tensor[]): tf.Scalar {
  const random = numbersFrom(11);
  const weights = (shape: number[]): tf.Tensor => {
    const size = shape.reduce((a, b) => a * b, 1);
    // A larger constant could not be part of a compiled graph; a wide output gets weights of its rows times weights of its columns.
    if (size <= 1024) return tf.tensor(Float32Array.from({ length: size }, random), shape);
    const ofAxes = shape.map((length, axis) => weights(shape.map((_, i) => (i === axis ? length : 1))));
    return ofAxes.reduce((a, b) => tf.mul(a, b));
  };
  return tf.addN(outputs.map((x) => tf.sum(tf.mul(x, weights(x.shape))))) as tf.Scalar;
}

/** The probe over all outputs and losses; the losses of logits see made-up logits, as no head is there. */
export function probeLoss(trial: Trial, batch: Batch, options: RunOptions = {}): tf.Scalar {
  const result = run(trial, batch, options);
  const logits = result.representations.map((h) => tf.sum(h, 1, true)); // [batch, 1]
  const perTask = Array.from({ length: trial.sizes.tasks }, (_, t) => tf.mul(logits[t] ?? logits[0]!, 1 + t));
  const ofLogits = trial.backbone.logitLosses?.(tf.concat(perTask, 1) as tf.Tensor2D) ?? {};
  return probe([...outputsOf(result), ...Object.values(result.auxiliaryLosses), ...Object.values(ofLogits)]);
}

/** A loss and its gradients: of every trained parameter, and of the features under the name `features`. */
export function gradientsOf(
  trial: Trial,
  batch: Batch,
  lossOf: (trial: Trial, batch: Batch) => tf.Scalar = probeLoss,
): { loss: tf.Scalar; gradients: Params } {
  const names = [...Object.keys(trial.params), "features"];
  const { value, grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
    const { features, ...params } = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
    return lossOf({ ...trial, params }, { ...batch, features: features as tf.Tensor2D });
  })([...Object.values(trial.params), batch.features]);
  return { loss: value as tf.Scalar, gradients: Object.fromEntries(names.map((name, i) => [name, grads[i]!])) };
}

/** The largest absolute value of a tensor; 0 is a gradient that does not exist. */
export function largest(x: tf.Tensor): number {
  return tf.max(tf.abs(x)).arraySync() as number;
}

export function parameterCount({ params }: Backbone): number {
  return Object.values(params).reduce((count, { shape }) => count + sizeOf(shape), 0);
}

function tensors<Spec>(specs: Readonly<Record<string, Spec>>, make: (spec: Spec) => tf.Tensor): Params {
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, make(spec)]));
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
