/**
 * Folds the task side of the paper's flows where it is one linear layer: y_full,m = z·(v + v_m) + c + c_m, and all flows are linear in s and p.
 * With gates of cells what a cell removes is one column for s and one for p, or none; with gates of rows all flows of all
 * tasks are columns of one matrix.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { filledMatrix, type Matrix, product, rowOf, scaled, sideBySide, sum, zeroMatrix } from "./linear.ts";
import { type FoldedTasks, subtraction, type TasksOptions } from "./paperTasks.ts";
import { ofPrivate, ofPrivateAlone, ofShared } from "./scenarioLayer.ts";

export function foldFlatTasks(options: TasksOptions): FoldedTasks {
  return options.cellGate ? foldCells(options, options.cellGate) : foldRows(options);
}

interface TaskMaps {
  /** v and v_m [out, 1]; c and c_m. */
  readonly v: Matrix;
  readonly own: (m: number) => Matrix;
  readonly c: number;
  readonly ownBias: (m: number) => number;
}

function taskMaps({ weights }: TasksOptions): TaskMaps {
  const maps = weights.taskLayers[0]!;
  return {
    v: maps.kernel,
    own: (m) => product(maps.A[m]!, maps.B[m]!),
    c: maps.bias.values[0]!,
    ownBias: (m) => maps.c[m]!.values[0]!,
  };
}

const number = (x: number): Matrix => rowOf([x]);

function foldCells(options: TasksOptions, gate: NonNullable<TasksOptions["cellGate"]>): FoldedTasks {
  const { constants, weights, only, tasks } = options;
  const layer = weights.scenarioLayers.at(-1)!;
  const { v, own, c, ownBias } = taskMaps(options);
  const kernel = sideBySide(tasks.map((m) => sum(v, own(m)))); // [out, tasks]
  /** What a cell removes of s and of p, and the biases that stay. */
  const ofS = (k: number, m: number): Matrix => sum(scaled(v, gate(k, m, 0)), own(m), gate(k, m, 2));
  const ofP = (k: number, m: number): Matrix => sum(scaled(v, gate(k, m, 3)), own(m), gate(k, m, 1));
  const kept = (k: number, m: number): number =>
    c + ownBias(m) - (gate(k, m, 0) + gate(k, m, 3)) * c - (gate(k, m, 1) + gate(k, m, 2)) * ownBias(m);

  if (only !== undefined) {
    const removed = tasks.map((m) => {
      const s = ofShared(layer, ofS(only, m));
      const p = ofPrivateAlone(layer, only, ofP(only, m));
      return { kernel: sum(s.kernel, p.kernel), bias: s.bias.values[0]! + p.bias.values[0]! };
    });
    const bias = rowOf(tasks.map((m, t) => kept(only, m) - removed[t]!.bias));
    const full = constants.affine("head/full", kernel, bias);
    const removes = tasks.some((m) => [0, 1, 2, 3].some((i) => gate(only, m, i) !== 0));
    if (!removes) return { logits: (p, { z }) => full(p, z) };
    const minus = constants.affine("head/removed", scaled(sideBySide(removed.map((one) => one.kernel)), -1));
    return { logits: (p, { u, z }) => tf.add(minus(p, u), full(p, z)) };
  }

  const scenarios = layer.A.map((_, k) => k);
  const columns = columnsOfS(scenarios, tasks, gate);
  const ofX = tasks.map((m) => {
    const rest = ofPrivate(
      layer,
      columns.length,
      (k) => scaled(ofP(k, m), -1),
      (k) => number(kept(k, m) - ofShared(layer, ofS(k, m)).bias.values[0]!),
    );
    const first = rest.rows - scenarios.length - columns.length;
    columns.forEach((column, d) => (rest.values[first + d] = column.m === m ? -1 : 0));
    return rest;
  });
  const full = constants.affine("head/full", kernel);
  const x = constants.affine("head/removed", sideBySide(ofX));
  return {
    ...(columns.length === 0
      ? {}
      : {
          extra: {
            kernel: sideBySide(columns.map(({ k, m }) => ofShared(layer, ofS(k, m)).kernel)),
            mask: filledMatrix(scenarios.length, columns.length, (k, d) => Number(columns[d]!.scenarios.has(k))),
          },
        }),
    logits: (p, stream) => tf.add(x(p, stream.x!), full(p, stream.z)),
  };
}

interface ColumnOfS {
  /** A cell that it belongs to. */
  readonly k: number;
  readonly m: number;
  readonly scenarios: Set<number>;
}

/** One column per task and pair of gates (sh→sh, sh→m) that some scenario has there; none where both are 0. */
function columnsOfS(
  scenarios: readonly number[],
  tasks: readonly number[],
  gate: NonNullable<TasksOptions["cellGate"]>,
): ColumnOfS[] {
  const columns = new Map<string, ColumnOfS>();
  for (const m of tasks)
    for (const k of scenarios) {
      const pair = [gate(k, m, 0), gate(k, m, 2)];
      if (pair.every((g) => g === 0)) continue;
      const key = `${m}:${pair}`;
      if (!columns.has(key)) columns.set(key, { k, m, scenarios: new Set() });
      columns.get(key)!.scenarios.add(k);
    }
  return [...columns.values()];
}

function foldRows(options: TasksOptions): FoldedTasks {
  const { constants, weights, only, tasks } = options;
  const layer = weights.scenarioLayers.at(-1)!;
  const { v, own, c, ownBias } = taskMaps(options);
  const kernel = sideBySide(tasks.map((m) => sum(v, own(m))));
  const full = constants.affine("head/full", kernel, rowOf(tasks.map((m) => c + ownBias(m))));
  const taskOfColumn = tasks.flatMap((m) => [m, m, m, m]);
  const minus = constants.affine("head/minus", subtraction(taskOfColumn, tasks));
  const gated = (p: Parameters<typeof minus>[0], flows: Tensor2D, rowGates: Tensor2D, z: Tensor2D): Tensor2D =>
    tf.add(minus(p, tf.mul(rowGates, flows)), full(p, z));

  if (only !== undefined) {
    const columns = tasks.flatMap((m) => [
      plus(ofShared(layer, v), c), // sh→sh
      plus(ofPrivateAlone(layer, only, own(m)), ownBias(m)), // k→m
      plus(ofShared(layer, own(m)), ownBias(m)), // sh→m
      plus(ofPrivateAlone(layer, only, v), c), // k→sh
    ]);
    const kernels = sideBySide(columns.map((column) => column.kernel));
    const flows = constants.affine("head/flows", kernels, sideBySide(columns.map(({ bias }) => bias)));
    return { logits: (p, { u, z }, rowGates) => gated(p, flows(p, u), rowGates!, z) };
  }

  // The columns of x for s: s·v, then s·v_m of every task.
  const shared = [v, ...tasks.map((m) => own(m))].map((M) => ofShared(layer, M));
  const none = zeroMatrix(v.rows, 1);
  const fromS = (column: number, bias: number): Matrix => {
    const out = ofPrivate(
      layer,
      shared.length,
      () => none,
      () => number(shared[column]!.bias.values[0]! + bias),
    );
    out.values[out.rows - layer.A.length - shared.length + column] = 1;
    return out;
  };
  const fromP = (M: Matrix, bias: number): Matrix =>
    ofPrivate(
      layer,
      shared.length,
      () => M,
      () => number(bias),
    );
  const ofX = tasks.flatMap((m, t) => [fromS(0, c), fromP(own(m), ownBias(m)), fromS(1 + t, ownBias(m)), fromP(v, c)]);
  const flows = constants.affine("head/flows", sideBySide(ofX));
  return {
    extra: {
      kernel: sideBySide(shared.map((column) => column.kernel)),
      mask: filledMatrix(layer.A.length, shared.length, () => 1),
    },
    logits: (p, { x, z }, rowGates) => gated(p, flows(p, x!), rowGates!, z),
  };
}

const plus = ({ kernel, bias }: { kernel: Matrix; bias: Matrix }, more: number): { kernel: Matrix; bias: Matrix } => ({
  kernel,
  bias: sum(bias, number(more)),
});
