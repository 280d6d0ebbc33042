/**
 * What a model gains when scenarios or tasks are added to it: arrays that were not there, and arrays that are longer
 * along one axis, whose first part is the old array. Old numbers are never changed.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";
import { ConflictError } from "../errors.ts";
import type { ParamSpec, Params, ParamSpecs } from "../plugin/contract.ts";
import type { GateRule, NamedArray, NamedArrays } from "./checkpoint.ts";
import type { Generation } from "./spec.ts";

/** One weight of the larger model that is new, or new in its last part. */
export interface Addition {
  readonly name: string;
  /** Of the part that is new. */
  readonly spec: ParamSpec;
  /** The axis along which the old array comes first; null: the whole array is new. */
  readonly axis: number | null;
}

/**
 * The arrays that a larger model has more than a smaller one of the same kind. Throws ConflictError, naming the plugin,
 * where one is not the old one with more behind it.
 */
export function additionsOf(before: ParamSpecs, after: ParamSpecs, plugin: string): Addition[] {
  const missing = Object.keys(before).find((name) => !after[name]);
  if (missing !== undefined) throw cannotGrow(plugin, `it has no ${missing} any more`);
  return Object.entries(after).flatMap(([name, spec]): Addition[] => {
    const { shape } = spec;
    const old = before[name]?.shape;
    if (!old) return [{ name, spec, axis: null }];
    const axes = shape.flatMap((size, axis) => (size === old[axis] ? [] : [axis]));
    if (old.length === shape.length && axes.length === 0) return [];
    const [axis] = axes;
    if (old.length !== shape.length || axes.length > 1 || axis === undefined || shape[axis]! < old[axis]!) {
      throw cannotGrow(plugin, `${name} has the shape [${shape.join(", ")}] after [${old.join(", ")}]`);
    }
    return [{ name, spec: { ...spec, shape: shape.with(axis, shape[axis]! - old[axis]!) }, axis }];
  });
}

export function cannotGrow(plugin: string, why: string): ConflictError {
  const expected = "a backbone to which a scenario or task can be added";
  return new ConflictError(`input.run: expected ${expected}, but with the plugin ${plugin} ${why}`, {
    field: "input.run",
    expected,
    received: plugin,
    hint: "train a new model on all scenarios and tasks",
  });
}

/** The new parts as parameters, each under its name with a prefix: an array and its part are two things. */
export function additionSpecs(additions: readonly Addition[]): ParamSpecs {
  return Object.fromEntries(additions.map(({ name, spec }) => [added(name), spec]));
}

/** The parameters of the larger model from the old ones and the new parts, for a training that changes the parts alone. */
export function grownParams(p: Params, additions: readonly Addition[]): Params {
  const grown = additions.map(({ name, axis }): [string, Tensor] => {
    const part = p[added(name)]!;
    return [name, axis === null ? part : tf.concat([p[name]!, part], axis)];
  });
  return { ...p, ...Object.fromEntries(grown) };
}

/** The same of arrays. */
export function grownArrays(old: NamedArrays, parts: NamedArrays, additions: readonly Addition[]): NamedArrays {
  const grown = additions.map(({ name, axis }): [string, NamedArray] => {
    const part = parts[added(name)]!;
    return [name, axis === null ? part : joined(old[name]!, part, axis)];
  });
  return { ...old, ...Object.fromEntries(grown) };
}

/** The parts back out of the larger model's arrays. */
export function addedParts(arrays: NamedArrays, additions: readonly Addition[]): NamedArrays {
  const parts = additions.map(({ name, axis, spec }): [string, NamedArray] => {
    const whole = arrays[name]!;
    if (axis === null) return [added(name), whole];
    const length = spec.shape[axis]!;
    return [added(name), part(whole, axis, whole.shape[axis]! - length, length)];
  });
  return Object.fromEntries(parts);
}

/** The arrays that a smaller model of the same growth had: the first part of each; those it had not are left out. */
export function leadingArrays(arrays: NamedArrays, specs: Readonly<Record<string, { shape: readonly number[] }>>) {
  const leading = Object.entries(specs).flatMap(([name, { shape }]): [string, NamedArray][] => {
    const whole = arrays[name];
    if (!whole) return [];
    const axis = shape.findIndex((size, i) => size !== whole.shape[i]);
    return [[name, axis < 0 ? whole : part(whole, axis, 0, shape[axis]!)]];
  });
  return Object.fromEntries(leading) as NamedArrays;
}

/** The rule of a model with other sizes: cells that were not there keep all their flows. */
export function resizedRule(rule: GateRule, from: Generation, to: Generation): GateRule {
  if (rule.kind !== "FIXED") return rule;
  const removed = Array.from({ length: to.scenarios * to.tasks * 4 }, () => 0);
  for (let k = 0; k < Math.min(from.scenarios, to.scenarios); k++)
    for (let j = 0; j < 4 * Math.min(from.tasks, to.tasks); j++)
      removed[k * 4 * to.tasks + j] = rule.removed[k * 4 * from.tasks + j]!;
  return { kind: "FIXED", removed };
}

const added = (name: string): string => `added/${name}`;

function part({ shape, values }: NamedArray, axis: number, from: number, length: number): NamedArray {
  const [outer, inner] = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
  const out = new Float32Array(outer * length * inner);
  for (let i = 0; i < outer; i++) {
    const start = (i * shape[axis]! + from) * inner;
    out.set(values.subarray(start, start + length * inner), i * length * inner);
  }
  return { shape: shape.with(axis, length), values: out };
}

function joined(first: NamedArray, second: NamedArray, axis: number): NamedArray {
  const [a, b] = [first.shape[axis]!, second.shape[axis]!];
  const [outer, inner] = [sizeOf(first.shape.slice(0, axis)), sizeOf(first.shape.slice(axis + 1))];
  const out = new Float32Array(outer * (a + b) * inner);
  for (let i = 0; i < outer; i++) {
    out.set(first.values.subarray(i * a * inner, (i + 1) * a * inner), i * (a + b) * inner);
    out.set(second.values.subarray(i * b * inner, (i + 1) * b * inner), (i * (a + b) + a) * inner);
  }
  return { shape: first.shape.with(axis, a + b), values: out };
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
