/** Small graph-building steps the kernels are written in: shapes, constants, broadcasting, reductions. */
import * as tf from "@tensorflow/tfjs-core";
import { type Graph, uniformOf, type Value } from "./graph.ts";
import { broadcastShape, type DType, dtypeCodes, type OpName, product } from "./ops.ts";

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

export const scalar = (g: Graph, x: number, dtype: DType = "float32"): Value => g.full(dtype, [], x);
export const int64 = (g: Graph, numbers: readonly number[]): Value => g.constant("int64", [numbers.length], numbers);

export function reshape(g: Graph, x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  const uniform = uniformOf(x);
  if (uniform !== undefined) return g.full(x.dtype, shape, uniform);
  const chained = x.source.kind === "node" && x.source.node.op === "Reshape" ? x.source.node.inputs[0]! : x;
  return sameShape(chained.shape, shape) ? chained : g.add("Reshape", [chained, int64(g, shape)]);
}

export function expand(g: Graph, x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  const uniform = uniformOf(x);
  if (uniform !== undefined) return g.full(x.dtype, shape, uniform);
  return g.add("Expand", [x, int64(g, shape)]);
}

export function cast(g: Graph, x: Value, dtype: DType): Value {
  return x.dtype === dtype ? x : g.add("Cast", [x], { to: dtypeCodes[dtype] });
}

/** An operand as small as broadcasting allows: a constant full of one number, or an expanded value, need no memory. */
function narrow(g: Graph, x: Value, other: Value): Value {
  const fits = (y: Value): boolean =>
    y.shape.length <= other.shape.length &&
    sameShape(broadcastShape(y.shape, other.shape), broadcastShape(x.shape, other.shape));
  const uniform = uniformOf(x);
  if (uniform !== undefined && fits(scalar(g, 0))) return scalar(g, uniform, x.dtype);
  if (x.source.kind === "node" && x.source.node.op === "Expand" && fits(x.source.node.inputs[0]!))
    return x.source.node.inputs[0]!;
  return x;
}

export function binary(g: Graph, op: OpName, a: Value, b: Value): Value {
  if (op === "Add" && uniformOf(b) === 0) return expand(g, a, broadcastShape(a.shape, b.shape));
  if (op === "Add" && uniformOf(a) === 0) return expand(g, b, broadcastShape(a.shape, b.shape));
  if (op === "Mul" || op === "Div") {
    const shape = broadcastShape(a.shape, b.shape);
    if (uniformOf(b) === 1) return expand(g, a, shape);
    if (op === "Mul" && uniformOf(a) === 1) return expand(g, b, shape);
    // (expanded x)·c stays expanded: gradients of means are one number per batch until they meet a full tensor.
    const scale = uniformOf(b);
    if (scale !== undefined && sameShape(a.shape, shape) && a.source.kind === "node" && a.source.node.op === "Expand") {
      const inner = a.source.node.inputs[0]!;
      return expand(g, g.add(op, [inner, scalar(g, scale, inner.dtype)]), shape);
    }
  }
  const narrowA = narrow(g, a, b);
  return g.add(op, [narrowA, narrowA === a ? narrow(g, b, a) : b]);
}

export function axesOf(axis: unknown, shape: readonly number[]): number[] {
  return tf.util.parseAxisParam(axis as number | number[], [...shape]);
}

export function reduce(g: Graph, op: OpName, x: Value, axis: unknown, keepDims: unknown): Value {
  const axes = axesOf(axis, x.shape);
  if (axes.every((a) => x.shape[a] === 1))
    return reshape(g, x, keepDims ? x.shape : x.shape.filter((_, i) => !axes.includes(i)));
  return g.add(op, [x, int64(g, axes)], { keepdims: keepDims ? 1 : 0 });
}

export function matMul(g: Graph, a: Value, b: Value, transposeA: boolean, transposeB: boolean): Value {
  const attributes = { transA: Number(transposeA), transB: Number(transposeB) };
  if (a.shape.length === 2 && b.shape.length === 2) return g.add("Gemm", [a, b], attributes);
  return transposeA || transposeB ? g.add("FusedMatMul", [a, b], attributes) : g.add("MatMul", [a, b]);
}

/** 1 where x > 0, else `alpha`: a clamp of 1e30·x is one vectorised pass, where ONNX's Sign and Greater are slow. */
export function step(g: Graph, x: Value, alpha: number): Value {
  const positive = g.add("HardSigmoid", [x], { alpha: { float: 1e30 }, beta: { float: 0 } });
  if (alpha === 0) return positive;
  return g.add("Add", [g.add("Mul", [positive, scalar(g, 1 - alpha)]), scalar(g, alpha)]);
}

export function concat(g: Graph, parts: readonly Value[], axis: number): Value {
  const filledParts = parts.filter((x) => product(x.shape) > 0);
  return filledParts.length === 1 ? filledParts[0]! : g.add("Concat", filledParts, { axis });
}

export function split(g: Graph, x: Value, sizes: readonly number[], axis: number): Value[] {
  return sizes.length === 1 ? [x] : [...g.addMany("Split", [x, int64(g, sizes)], { axis })];
}

export function insertAxis(shape: readonly number[], axis: number): number[] {
  const at = axis < 0 ? shape.length + 1 + axis : axis;
  return [...shape.slice(0, at), 1, ...shape.slice(at)];
}

export function tile(g: Graph, x: Value, reps: readonly number[]): Value {
  const shape = x.shape.map((d, i) => d * reps[i]!);
  if (x.shape.every((d, i) => d === 1 || reps[i] === 1)) return expand(g, x, shape);
  return g.add("Tile", [x, int64(g, reps)]);
}

export function slice(g: Graph, x: Value, begin: number[], size: number[]): Value {
  const [starts, sizes] = tf.slice_util.parseSliceParams(x as unknown as tf.TensorInfo, begin, size);
  const axes = x.shape.map((_, i) => i).filter((i) => starts![i] !== 0 || sizes![i] !== x.shape[i]);
  if (axes.length === 0) return x;
  const pick = (of: (axis: number) => number): Value => int64(g, axes.map(of));
  return g.add("Slice", [x, pick((i) => starts![i]!), pick((i) => starts![i]! + sizes![i]!), int64(g, axes)]);
}

/** The gradient of gather: rows of x [n..., d...] added up by segment id. */
export function segmentSum(g: Graph, x: Value, ids: Value, segments: number): Value {
  const rows = product(ids.shape);
  const width = product(x.shape) / rows;
  const indices = g.add("Expand", [cast(g, reshape(g, ids, [rows, 1]), "int64"), int64(g, [rows, width])]);
  const zeros = g.full(x.dtype, [segments, width], 0);
  const sums = g.add("ScatterElements", [zeros, indices, reshape(g, x, [rows, width])], { axis: 0, reduction: "add" });
  return reshape(g, sums, [segments, ...x.shape.slice(ids.shape.length)]);
}

export function oneHot(g: Graph, indices: Value, depth: number, on: number, off: number, dtype: DType): Value {
  const classes = g.constant(
    "int32",
    [depth],
    Array.from({ length: depth }, (_, i) => i),
  );
  const hit = g.add("Equal", [reshape(g, indices, [...indices.shape, 1]), classes]);
  if (on === 1 && off === 0) return cast(g, hit, dtype);
  return g.add("Where", [hit, scalar(g, on, dtype), scalar(g, off, dtype)]);
}
