/**
 * Folds the task side of the paper's flows where it has hidden layers: their ReLUs stand between, so a flow stays a chain of maps of its own.
 * A flow that no cell removes is not computed; the chains of sh→sh and k→sh are the same for all tasks and computed once;
 * the first map of each goes from u or x at once, and what is low-rank stays so where that is smaller.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import type { Params } from "../../plugin/contract.ts";
import type { RowMap } from "./constants.ts";
import type { LoraWeights } from "./headWeights.ts";
import { filledMatrix, type Matrix, product, sum } from "./linear.ts";
import { type FoldedTasks, type StreamValues, subtraction, type TasksOptions } from "./paperTasks.ts";
import { ofPrivate } from "./scenarioLayer.ts";
import { ownTaskMap } from "./taskLayer.ts";

type FromStream = (p: Params, stream: StreamValues) => Tensor2D;

export function foldDeepTasks(options: TasksOptions): FoldedTasks {
  const { constants, only, tasks, cellGate, weights } = options;
  const scenarios = weights.scenarioLayers[0]!.A.map((_, k) => k).filter((k) => only === undefined || k === only);
  const isUsed = (m: number, i: number): boolean => !cellGate || scenarios.some((k) => cellGate(k, m, i) !== 0);
  const full = foldFull(options);
  // Gate columns in use, as task and flow.
  const used = tasks.flatMap((m, t) => [0, 1, 2, 3].filter((i) => isUsed(m, i)).map((i) => ({ m, t, i })));
  if (used.length === 0) return { logits: full };
  const flows = foldFlows(options, used);
  const taskOfColumn = used.map(({ m }) => m);
  const minus = constants.affine("head/minus", subtraction(taskOfColumn, tasks));
  if (!cellGate)
    return { logits: (p, stream, rowGates) => tf.add(minus(p, tf.mul(rowGates!, flows(p, stream))), full(p, stream)) };
  if (only !== undefined) {
    const weighted = filledMatrix(used.length, tasks.length, (c, t) =>
      used[c]!.t === t ? -cellGate(only, used[c]!.m, used[c]!.i) : 0,
    );
    const removed = constants.affine("head/removed", weighted);
    return { logits: (p, stream) => tf.add(removed(p, flows(p, stream)), full(p, stream)) };
  }
  const table = filledMatrix(scenarios.length, used.length, (k, c) => cellGate(k, used[c]!.m, used[c]!.i));
  const gates = constants.matrix("head/gates", table);
  return {
    logits(p, stream) {
      const own = tf.gather(p[gates] as Tensor2D, stream.scenario!); // [batch, used]
      return tf.add(minus(p, tf.mul(own, flows(p, stream))), full(p, stream));
    },
  };
}

/** y_full of the tasks [batch, tasks]. */
function foldFull({ constants, weights, tasks }: TasksOptions): FromStream {
  const [first, ...later] = weights.taskLayers as [LoraWeights, ...LoraWeights[]];
  const last = later.length;
  const count = tasks.length;
  const mapOf = (layer: LoraWeights, j: number, m: number): RowMap => ownTaskMap({ constants, layer, j, m, count });
  const chains = tasks.map((m) => [mapOf(first, 0, m), ...later.map((layer, j) => mapOf(layer, j + 1, m))]);
  return (p, { z }) =>
    tf.concat2d(
      chains.map((chain) => chain.reduce((y, map, j) => (j < last ? tf.relu(map(p, y)) : map(p, y)), z)),
      1,
    );
}

/** The flows in `used` side by side [batch, used]. */
function foldFlows(
  options: TasksOptions,
  used: readonly { readonly m: number; readonly t: number; readonly i: number }[],
): FromStream {
  const chains = new Map<string, FromStream>();
  const keys = used.map(({ m, i }) => {
    const isOfTask = i === 1 || i === 2;
    const key = isOfTask ? `${i}.${m}` : `${i}`;
    if (!chains.has(key)) chains.set(key, foldFlow(options, i, isOfTask ? m : undefined));
    return key;
  });
  return (p, stream) => {
    const values = new Map([...chains].map(([key, chain]) => [key, chain(p, stream)]));
    return tf.concat2d(
      keys.map((key) => values.get(key)!),
      1,
    );
  };
}

/** Flow i [batch, 1]: through the maps of task `m`, or the shared ones where it is undefined. */
function foldFlow({ constants, weights, only }: TasksOptions, i: number, m: number | undefined): FromStream {
  const layer = weights.scenarioLayers.at(-1)!;
  const [first, ...later] = weights.taskLayers as [LoraWeights, ...LoraWeights[]];
  const name = `head/flow.${i}${m === undefined ? "" : `.${m}`}`;
  const fromShared = i === 0 || i === 2;
  const begin = firstMap({ layer, first, m, only, fromShared, constants, name: `${name}.0` });
  const rest = later.map((maps, j) =>
    m === undefined
      ? constants.affine(`head/task.${j + 1}.flow`, maps.kernel, maps.bias)
      : constants.lowRank(`head/task.${j + 1}.flow.${m}`, maps.A[m]!, maps.B[m]!, maps.c[m]!),
  );
  return (p, stream) => rest.reduce((f, map) => map(p, tf.relu(f)), begin(p, stream));
}

interface FirstMap extends Pick<TasksOptions, "constants" | "only"> {
  readonly layer: LoraWeights;
  readonly first: LoraWeights;
  readonly m: number | undefined;
  readonly fromShared: boolean;
  readonly name: string;
}

/** The first task map on s or p, from u, or of several scenarios' p from x. */
function firstMap({ layer, first, m, only, fromShared, constants, name }: FirstMap): FromStream {
  const kernel: Matrix = m === undefined ? first.kernel : product(first.A[m]!, first.B[m]!); // [out, out']
  const bias = m === undefined ? first.bias : first.c[m]!;
  if (fromShared) {
    const constant = sum(product(layer.bias, kernel), bias);
    const map =
      m === undefined
        ? constants.affine(name, product(layer.kernel, kernel), constant)
        : constants.lowRank(name, product(layer.kernel, first.A[m]!), first.B[m]!, constant);
    return (p, { u }) => map(p, u);
  }
  if (only !== undefined) {
    const constant = sum(product(layer.c[only]!, kernel), bias);
    const map = constants.lowRank(name, layer.A[only]!, product(layer.B[only]!, kernel), constant);
    return (p, { u }) => map(p, u);
  }
  const map = constants.affine(
    name,
    ofPrivate(
      layer,
      0,
      () => kernel,
      () => bias,
    ),
  );
  return (p, { x }) => map(p, x!);
}
