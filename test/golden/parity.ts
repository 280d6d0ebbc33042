/** Runs the model and the training step on a golden vector file and measures the largest differences per section. */
import type { Tensor2D } from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-core";
import type { Engine } from "../../src/engine/engine.ts";
import type { NamedArrays } from "../../src/model/checkpoint.ts";
import { binaryCrossEntropy, softGates } from "../../src/model/loss.ts";
import { buildModel, type Model } from "../../src/model/model.ts";
import type { BackbonePlugin } from "../../src/plugin/contract.ts";
import { type AdamGroup, Learner } from "../../src/training/learner.ts";
import { type LossFunction, retrainLoss, searchLoss } from "../../src/training/lossFunctions.ts";
import { type Batch, flat, type Forward, modelOf, namedArrays, sizesOf, type State, type TaskForward, type VectorFile } from "./vectorFile.ts";

export interface Section {
  readonly name: string;
  /** Largest absolute difference, and where. */
  readonly difference: number;
  readonly at: string;
  readonly tolerance: number;
  /** Set when the section is not compared, with the reason. */
  readonly skipped?: string;
}

const tolerances = { forward: 1e-5, gradients: 2e-6, parameters: 2e-6, loss: 1e-5 };

const batchNormFault =
  "the reference runs the frozen gate network with batch statistics here; ours uses its running statistics";

export async function checkParity(file: VectorFile, plugin: BackbonePlugin, engine: Engine): Promise<Section[]> {
  const model = buildModel(modelOf(file), plugin, sizesOf(file));
  const initial = namedArrays(file, file.params);
  const { config } = file;
  const sections: Section[] = [];
  const compare = (name: string, tolerance: number, pairs: Iterable<Pair>): void => void sections.push(worst(name, tolerance, pairs));
  const skip = (name: string): void => void sections.push({ name, difference: 0, at: "", tolerance: 0, skipped: batchNormFault });

  for (const [name, expected] of Object.entries(file.forward)) {
    const ticket = name.startsWith("ticket");
    if (ticket && config.use_bn && !name.endsWith("_eval")) {
      skip(`forward.${name}`);
      continue;
    }
    const options = { ticket, temperature: name.includes("temp10") ? 10 : 1, training: !name.endsWith("_eval") };
    const outputs = await forward(model, engine, initial, file.batches[0]!, config, options);
    compare(`forward.${name}`, tolerances.forward, forwardPairs(expected, outputs, ticket));
  }

  const search = { loss: searchLoss(model, [config.reg_lambda1, config.reg_lambda2]), weights: { learningRate: config.lr, l2: config.l2 }, gates: { learningRate: config.gate_lr, l2: 0 } };
  const retrain = { loss: retrainLoss(model), weights: { learningRate: config.r_lr, l2: config.r_l2 } };
  const learner = (arrays: NamedArrays, phase: { loss: LossFunction; weights: AdamGroup; gates?: AdamGroup }): Learner =>
    new Learner({ engine, model, arrays, batchSize: Math.max(...file.batches.map(({ d }) => d.length)), seed: 1, averagingDecay: 0, ...phase });

  for (const [name, expected] of Object.entries(file.grads)) {
    const ticket = name === "ticket";
    if (ticket && config.use_bn) {
      skip(`grads.${name}`);
      continue;
    }
    const l = learner(initial, ticket ? retrain : search);
    l.temperature[0] = name.includes("temp10") ? 10 : 1;
    fill(l, file.batches[0]!, config.domain_num, config.task_num);
    if (ticket) l.batch.gates.set(await hardGates(model, engine, initial, file.batches[0]!, config));
    const { gradients } = await l.gradients(file.batches[0]!.d.length);
    await l.release();
    compare(`grads.${name}`, tolerances.gradients, arrayPairs(namedArrays(file, expected), gradients));
  }

  const steps = learner(initial, search);
  const losses: number[] = [];
  for (const [i, batch] of file.batches.slice(0, 3).entries()) {
    fill(steps, batch, config.domain_num, config.task_num);
    losses.push(await steps.step(batch.d.length));
    if (i === 0) compareState("search_steps.after1", file.search_steps.after1, steps.current());
  }
  compare("search_steps.losses", tolerances.loss, pairsOf("loss", file.search_steps.losses, losses));
  compareState("search_steps.after3", file.search_steps.after3, steps.current());
  await steps.release();

  if (config.use_bn) {
    for (const name of ["forward", "grads", "after1"]) skip(`retrain.${name}`);
    return sections;
  }
  const after1 = namedArrays(file, file.search_steps.after1);
  const after3 = namedArrays(file, file.search_steps.after3);
  const gates = pick(after3, (name) => name.startsWith("gate/"));
  const ticketArrays = { ...after1, ...gates, gateEmbedding: after3["embedding"]! };
  const batch = file.batches[3]!;
  const outputs = await forward(model, engine, ticketArrays, batch, config, { ticket: true, temperature: 1, training: true });
  compare("retrain.forward", tolerances.forward, forwardPairs(file.retrain.forward, outputs, true));
  const l = learner(ticketArrays, retrain);
  fill(l, batch, config.domain_num, config.task_num);
  l.batch.gates.set(await hardGates(model, engine, ticketArrays, batch, config));
  compare("retrain.grads", tolerances.gradients, arrayPairs(namedArrays(file, file.retrain.grads), (await l.gradients(batch.d.length)).gradients));
  await l.step(batch.d.length);
  compareState("retrain.after1", file.retrain.after1, l.current());
  await l.release();
  return sections;

  /**
   * Parameters after steps. With batch norm some gradients are zero but for rounding: those of biases in front of a
   * norm, and of norm shifts whose unit fires on every row and meets a norm next. Adam turns such rounding into steps
   * of up to lr, so values whose recorded gradient is below its ε are compared at 3·lr, and running means at 1e-3.
   */
  function compareState(name: string, state: State, actual: NamedArrays): void {
    const pairs = [...arrayPairs(pick(namedArrays(file, state), (key) => key in actual), actual)];
    if (!config.use_bn) return compare(name, tolerances.parameters, pairs);
    const gradients = namedArrays(file, file.grads["search_temp1"]!);
    const rounding = new Set(
      [...arrayPairs(gradients, gradients)].filter(({ expected }) => Math.abs(expected) < 1e-8).map((pair) => pair.name),
    );
    const beforeNorm = (pair: Pair): boolean => /(layer|hidden)\.\d\.bias/.test(pair.name) || rounding.has(pair.name);
    const runningMean = (pair: Pair): boolean => pair.name.includes(".mean[");
    const exact = pairs.filter((pair) => !beforeNorm(pair) && !runningMean(pair));
    compare(name, tolerances.parameters, exact);
    compare(`${name} (gradient zero by batch norm)`, 3 * config.lr, pairs.filter(beforeNorm));
    compare(`${name} (running means)`, 1e-3, pairs.filter(runningMean));
  }
}

function pick(arrays: NamedArrays, keep: (name: string) => boolean): NamedArrays {
  return Object.fromEntries(Object.entries(arrays).filter(([name]) => keep(name)));
}

interface ForwardOptions {
  readonly ticket: boolean;
  readonly temperature: number;
  readonly training: boolean;
}

type Outputs = Readonly<Record<string, Float32Array>>;

async function forward(model: Model, engine: Engine, arrays: NamedArrays, batch: Batch, config: VectorFile["config"], options: ForwardOptions): Promise<Outputs> {
  const { inputs, specs } = programInputs(model, arrays, batch, config);
  const program = await engine.compile((tensors) => {
    const p = Object.fromEntries(Object.keys(arrays).map((name) => [name, tensors[`p/${name}`]!]));
    const scenarioOneHot = tensors["scenarioOneHot"] as Tensor2D;
    const masks = options.training ? {} : undefined;
    const { output } = model.partials!(p, { features: tensors["features"] as Tensor2D, scenarioOneHot }, masks);
    const gateFeatures = tensors[options.ticket ? "gateFeatures" : "features"] as Tensor2D;
    const w = model.gateLogits!(p, { features: gateFeatures, scenarioOneHot }, options.ticket ? undefined : masks).output;
    const soft = softGates(w, tf.scalar(options.temperature));
    const gate = options.ticket ? (tf.cast(tf.greater(w, 0), "float32") as Tensor2D) : soft;
    const logit = model.gatedLogits!(output, gate);
    const bce = binaryCrossEntropy(logit, tensors["labels"] as Tensor2D);
    const reg = tf.mean(tf.reshape(soft, [-1, config.task_num, 4]), [0, 2]);
    const lambdas = options.ticket ? [0, 0] : [config.reg_lambda1, config.reg_lambda2];
    return { ...output, w, gate, logit, bce, reg, total: tf.add(tf.sum(bce), tf.sum(tf.mul(reg, tf.tensor1d(lambdas)))) };
  }, specs);
  const outputs = await program.run(inputs);
  await program.release();
  return outputs;
}

/** 1[w > 0] from the gate embedding, the network in evaluation mode. */
async function hardGates(model: Model, engine: Engine, arrays: NamedArrays, batch: Batch, config: VectorFile["config"]): Promise<Float32Array> {
  const options = { ticket: true, temperature: 1, training: false };
  return (await forward(model, engine, arrays, batch, config, options))["gate"]!;
}

function programInputs(model: Model, arrays: NamedArrays, batch: Batch, config: VectorFile["config"]): { inputs: Record<string, Float32Array>; specs: Record<string, { shape: readonly number[] }> } {
  const { fields, embeddingDim, scenarios, tasks } = model.sizes;
  const gathered = (table: string): Float32Array => {
    const { values } = arrays[table]!;
    return Float32Array.from(flat(batch.x).flatMap((id) => [...values.subarray(id * embeddingDim, (id + 1) * embeddingDim)]));
  };
  const rows = batch.d.length;
  const inputs: Record<string, Float32Array> = { features: gathered("embedding"), gateFeatures: gathered("gateEmbedding"), ...encoded(batch, scenarios, tasks) };
  const specs: Record<string, { shape: readonly number[] }> = {
    features: { shape: [rows, fields * embeddingDim] },
    gateFeatures: { shape: [rows, fields * embeddingDim] },
    scenarioOneHot: { shape: [rows, scenarios] },
    labels: { shape: [rows, config.task_num] },
  };
  for (const [name, { shape, values }] of Object.entries(arrays)) {
    inputs[`p/${name}`] = values;
    specs[`p/${name}`] = { shape };
  }
  return { inputs, specs };
}

function encoded({ d, ...batch }: Batch, scenarios: number, tasks: number): { scenarioOneHot: Float32Array; labels: Float32Array } {
  return {
    scenarioOneHot: Float32Array.from(d.flatMap((k) => Array.from({ length: scenarios }, (_, i) => Number(i === k)))),
    labels: Float32Array.from(d.flatMap((_, row) => Array.from({ length: tasks }, (__, m) => batch[`y${m}`]![row]!))),
  };
}

function fill(learner: Learner, batch: Batch, scenarios: number, tasks: number): void {
  learner.batch.ids.set(flat(batch.x));
  learner.batch.scenario.set(batch.d);
  learner.batch.labels.set(encoded(batch, scenarios, tasks).labels);
}

interface Pair {
  readonly name: string;
  readonly expected: number;
  readonly actual: number;
}

function* pairsOf(name: string, expected: ArrayLike<number>, actual: ArrayLike<number>): Generator<Pair> {
  if (expected.length !== actual.length) throw new Error(`parity: ${name}: ${expected.length} values expected, got ${actual.length}`);
  for (let i = 0; i < expected.length; i++) yield { name: `${name}[${i}]`, expected: expected[i]!, actual: actual[i]! };
}

function* arrayPairs(expected: NamedArrays, actual: NamedArrays): Generator<Pair> {
  for (const [name, { values }] of Object.entries(expected)) {
    if (!actual[name]) throw new Error(`parity: ${name} is in the file but not in the model`);
    yield* pairsOf(name, values, actual[name].values);
  }
}

function* forwardPairs(expected: Forward, actual: Outputs, ticket: boolean): Generator<Pair> {
  const tasks = Object.keys(expected).filter((key) => /^task\d+$/.test(key)) as `task${number}`[];
  const column = (values: Float32Array, width: number, i: number): Float32Array => values.filter((_, j) => j % width === i);
  const block = (values: Float32Array, m: number): Float32Array => values.filter((_, j) => Math.floor((j % (4 * tasks.length)) / 4) === m);
  for (const [m, task] of tasks.entries()) {
    const e: TaskForward = expected[task]!;
    yield* pairsOf(`${task}.full`, e.full, column(actual["full"]!, tasks.length, m));
    for (const [i, flow] of (["sh_sh", "k_m", "sh_m", "k_sh"] as const).entries())
      yield* pairsOf(`${task}.${flow}`, e[flow], column(actual["flows"]!, 4 * tasks.length, 4 * m + i));
    yield* pairsOf(`${task}.gate_w`, flat(e.gate_w), block(actual["w"]!, m));
    yield* pairsOf(`${task}.gate`, flat(e.gate), block(actual["gate"]!, m));
    yield* pairsOf(`${task}.logit`, e.logit, column(actual["logit"]!, tasks.length, m));
  }
  yield* pairsOf("bce", expected.bce, actual["bce"]!);
  if (!ticket) yield* pairsOf("reg", expected.reg, actual["reg"]!);
  yield* pairsOf("total_loss", [expected.total_loss].flat() as number[], actual["total"]!);
}

function worst(name: string, tolerance: number, pairs: Iterable<Pair>): Section {
  let difference = 0;
  let at = "";
  for (const pair of pairs) {
    const d = Math.abs(pair.expected - pair.actual);
    if (d > difference || Number.isNaN(d)) [difference, at] = [Number.isNaN(d) ? Infinity : d, pair.name];
  }
  return { name, difference, at, tolerance };
}
