/**
 * How each tfjs kernel is written with graph operators. A kernel that is missing here fails by name when a model uses
 * it under the compiled engine; tfjs itself reports it.
 */
import * as tf from "@tensorflow/tfjs-core";
import { type Graph, uniformOf, type Value } from "./graph.ts";
import { broadcastShape, type DType, dtypeCodes, type OpName, product } from "./ops.ts";

type Inputs = Readonly<Record<string, Value>>;
type Attrs = Readonly<Record<string, unknown>>;
export type RecordedKernel = (g: Graph, inputs: Inputs, attrs: Attrs) => Value | Value[];

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

const scalar = (g: Graph, x: number, dtype: DType = "float32"): Value => g.constant(dtype, [], [x]);
const int64 = (g: Graph, numbers: readonly number[]): Value => g.constant("int64", [numbers.length], numbers);

function reshape(g: Graph, x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  const uniform = uniformOf(x);
  if (uniform !== undefined) return g.constant(x.dtype, shape, new Array<number>(product(shape)).fill(uniform));
  const chained = x.source.kind === "node" && x.source.node.op === "Reshape" ? x.source.node.inputs[0]! : x;
  return sameShape(chained.shape, shape) ? chained : g.add("Reshape", [chained, int64(g, shape)]);
}

function expand(g: Graph, x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  const uniform = uniformOf(x);
  if (uniform !== undefined) return g.constant(x.dtype, shape, new Array<number>(product(shape)).fill(uniform));
  return g.add("Expand", [x, int64(g, shape)]);
}

function cast(g: Graph, x: Value, dtype: DType): Value {
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

function binary(g: Graph, op: OpName, a: Value, b: Value): Value {
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

const unary =
  (op: OpName, attributes = {}): RecordedKernel =>
  (g, { x }) =>
    g.add(op, [x!], attributes);

const elementwise =
  (op: OpName): RecordedKernel =>
  (g, { a, b }) =>
    binary(g, op, a!, b!);

function axesOf(axis: unknown, shape: readonly number[]): number[] {
  return tf.util.parseAxisParam(axis as number | number[], [...shape]);
}

function reduce(g: Graph, op: OpName, x: Value, axis: unknown, keepDims: unknown): Value {
  const axes = axesOf(axis, x.shape);
  if (axes.every((a) => x.shape[a] === 1))
    return reshape(g, x, keepDims ? x.shape : x.shape.filter((_, i) => !axes.includes(i)));
  return g.add(op, [x, int64(g, axes)], { keepdims: keepDims ? 1 : 0 });
}

const reduction =
  (op: OpName, axisName = "axis"): RecordedKernel =>
  (g, { x }, attrs) =>
    reduce(g, op, x!, attrs[axisName], attrs["keepDims"]);

const argument =
  (op: OpName): RecordedKernel =>
  (g, { x }, { axis }) =>
    cast(g, g.add(op, [x!], { axis: axesOf(axis, x!.shape)[0]!, keepdims: 0 }), "int32");

function matMul(g: Graph, a: Value, b: Value, transposeA: boolean, transposeB: boolean): Value {
  const attributes = { transA: Number(transposeA), transB: Number(transposeB) };
  if (a.shape.length === 2 && b.shape.length === 2) return g.add("Gemm", [a, b], attributes);
  return transposeA || transposeB ? g.add("FusedMatMul", [a, b], attributes) : g.add("MatMul", [a, b]);
}

/** 1 where x > 0, else `alpha`: a clamp of 1e30·x is one vectorised pass, where ONNX's Sign and Greater are slow. */
function step(g: Graph, x: Value, alpha: number): Value {
  const positive = g.add("HardSigmoid", [x], { alpha: { float: 1e30 }, beta: { float: 0 } });
  if (alpha === 0) return positive;
  return g.add("Add", [g.add("Mul", [positive, scalar(g, 1 - alpha)]), scalar(g, alpha)]);
}

function filled(g: Graph, dtype: DType, shape: readonly number[], x: number): Value {
  return g.constant(dtype, shape, new Array<number>(product(shape)).fill(x));
}

/** The inputs of a kernel with a list of tensors, in order. */
const listed = (inputs: Inputs): Value[] =>
  Object.keys(inputs)
    .sort((a, b) => Number(a) - Number(b))
    .map((key) => inputs[key]!);

function concat(g: Graph, parts: readonly Value[], axis: number): Value {
  const filledParts = parts.filter((x) => product(x.shape) > 0);
  return filledParts.length === 1 ? filledParts[0]! : g.add("Concat", filledParts, { axis });
}

function split(g: Graph, x: Value, sizes: readonly number[], axis: number): Value[] {
  return sizes.length === 1 ? [x] : [...g.addMany("Split", [x, int64(g, sizes)], { axis })];
}

function insertAxis(shape: readonly number[], axis: number): number[] {
  const at = axis < 0 ? shape.length + 1 + axis : axis;
  return [...shape.slice(0, at), 1, ...shape.slice(at)];
}

function tile(g: Graph, x: Value, reps: readonly number[]): Value {
  const shape = x.shape.map((d, i) => d * reps[i]!);
  if (x.shape.every((d, i) => d === 1 || reps[i] === 1)) return expand(g, x, shape);
  return g.add("Tile", [x, int64(g, reps)]);
}

function slice(g: Graph, x: Value, begin: number[], size: number[]): Value {
  const [starts, sizes] = tf.slice_util.parseSliceParams(x as unknown as tf.TensorInfo, begin, size);
  const axes = x.shape.map((_, i) => i).filter((i) => starts![i] !== 0 || sizes![i] !== x.shape[i]);
  if (axes.length === 0) return x;
  const pick = (of: (axis: number) => number): Value => int64(g, axes.map(of));
  return g.add("Slice", [x, pick((i) => starts![i]!), pick((i) => starts![i]! + sizes![i]!), int64(g, axes)]);
}

/** The gradient of gather: rows of x [n..., d...] added up by segment id. */
function segmentSum(g: Graph, x: Value, ids: Value, segments: number): Value {
  const rows = product(ids.shape);
  const width = product(x.shape) / rows;
  const indices = g.add("Expand", [cast(g, reshape(g, ids, [rows, 1]), "int64"), int64(g, [rows, width])]);
  const zeros = filled(g, x.dtype, [segments, width], 0);
  const sums = g.add("ScatterElements", [zeros, indices, reshape(g, x, [rows, width])], { axis: 0, reduction: "add" });
  return reshape(g, sums, [segments, ...x.shape.slice(ids.shape.length)]);
}

function oneHot(g: Graph, indices: Value, depth: number, on: number, off: number, dtype: DType): Value {
  const classes = g.constant(
    "int32",
    [depth],
    Array.from({ length: depth }, (_, i) => i),
  );
  const hit = g.add("Equal", [reshape(g, indices, [...indices.shape, 1]), classes]);
  if (on === 1 && off === 0) return cast(g, hit, dtype);
  return g.add("Where", [hit, scalar(g, on, dtype), scalar(g, off, dtype)]);
}

export const recordedKernels: Readonly<Record<string, RecordedKernel>> = {
  Abs: unary("Abs"),
  Ceil: unary("Ceil"),
  Cos: unary("Cos"),
  Elu: unary("Elu"),
  Erf: unary("Erf"),
  Exp: unary("Exp"),
  Floor: unary("Floor"),
  Log: unary("Log"),
  LogicalNot: unary("Not"),
  Neg: unary("Neg"),
  Reciprocal: unary("Reciprocal"),
  Relu: unary("Relu"),
  Round: unary("Round"),
  Sigmoid: unary("Sigmoid"),
  Sign: unary("Sign"),
  Sin: unary("Sin"),
  Softplus: unary("Softplus"),
  Sqrt: unary("Sqrt"),
  Tanh: unary("Tanh"),
  Identity: (_, { x }) => x!,
  Square: (g, { x }) => g.add("Mul", [x!, x!]),
  Rsqrt: (g, { x }) => g.add("Reciprocal", [g.add("Sqrt", [x!])]),
  Log1p: (g, { x }) => g.add("Log", [g.add("Add", [x!, scalar(g, 1)])]),
  Expm1: (g, { x }) => g.add("Sub", [g.add("Exp", [x!]), scalar(g, 1)]),
  Step: (g, { x }, { alpha }) => step(g, x!, (alpha as number | undefined) ?? 0),
  LeakyRelu: (g, { x }, { alpha }) => g.add("LeakyRelu", [x!], { alpha: { float: alpha as number } }),
  Relu6: (g, { x }) => g.add("Clip", [x!, scalar(g, 0), scalar(g, 6)]),
  ClipByValue: (g, { x }, { clipValueMin, clipValueMax }) =>
    g.add("Clip", [x!, scalar(g, clipValueMin as number), scalar(g, clipValueMax as number)]),
  EluGrad: (g, { dy, y }) =>
    g.add("Where", [
      g.add("GreaterOrEqual", [y!, scalar(g, 0)]),
      dy!,
      g.add("Mul", [dy!, g.add("Add", [y!, scalar(g, 1)])]),
    ]),
  Add: elementwise("Add"),
  Sub: elementwise("Sub"),
  Multiply: elementwise("Mul"),
  RealDiv: elementwise("Div"),
  Maximum: elementwise("Max"),
  Minimum: elementwise("Min"),
  Pow: elementwise("Pow"),
  SquaredDifference(g, { a, b }) {
    const difference = binary(g, "Sub", a!, b!);
    return g.add("Mul", [difference, difference]);
  },
  AddN: (g, inputs) => listed(inputs).reduce((sum, x) => binary(g, "Add", sum, x)),
  Equal: elementwise("Equal"),
  NotEqual: (g, { a, b }) => g.add("Not", [binary(g, "Equal", a!, b!)]),
  Greater: elementwise("Greater"),
  GreaterEqual: elementwise("GreaterOrEqual"),
  Less: elementwise("Less"),
  LessEqual: elementwise("LessOrEqual"),
  LogicalAnd: elementwise("And"),
  LogicalOr: elementwise("Or"),
  Select(g, { condition, t, e }) {
    const rank = t!.shape.length;
    const c = reshape(g, condition!, [
      ...condition!.shape,
      ...new Array<number>(rank - condition!.shape.length).fill(1),
    ]);
    return g.add("Where", [c, t!, e!]);
  },
  Cast: (g, { x }, { dtype }) => cast(g, x!, dtype as DType),
  ZerosLike: (g, { x }) => filled(g, x!.dtype, x!.shape, 0),
  OnesLike: (g, { x }) => filled(g, x!.dtype, x!.shape, 1),
  Fill: (g, _, { shape, value, dtype }) =>
    filled(g, (dtype as DType | undefined) ?? "float32", shape as number[], value as number),
  Range(g, _, { start, stop, step: by, dtype }) {
    const count = Math.max(0, Math.ceil(((stop as number) - (start as number)) / (by as number)));
    const numbers = Array.from({ length: count }, (__, i) => (start as number) + i * (by as number));
    return g.constant((dtype as DType | undefined) ?? "float32", [count], numbers);
  },
  Reshape: (g, { x }, { shape }) =>
    reshape(g, x!, tf.util.inferFromImplicitShape(shape as number[], product(x!.shape))),
  ExpandDims: (g, { input }, { dim }) => reshape(g, input!, insertAxis(input!.shape, dim as number)),
  Transpose: (g, { x }, { perm }) => g.add("Transpose", [x!], { perm: perm as number[] }),
  BroadcastTo: (g, { x }, { shape }) => expand(g, x!, shape as number[]),
  Tile: (g, { x }, { reps }) => tile(g, x!, reps as number[]),
  Sum: reduction("ReduceSum"),
  Mean: reduction("ReduceMean"),
  Max: reduction("ReduceMax", "reductionIndices"),
  Min: reduction("ReduceMin"),
  Prod: reduction("ReduceProd"),
  ArgMax: argument("ArgMax"),
  ArgMin: argument("ArgMin"),
  Any: (g, { x }, { axis, keepDims }) => cast(g, reduce(g, "ReduceMax", cast(g, x!, "int32"), axis, keepDims), "bool"),
  All: (g, { x }, { axis, keepDims }) => cast(g, reduce(g, "ReduceMin", cast(g, x!, "int32"), axis, keepDims), "bool"),
  Cumsum: (g, { x }, { axis, exclusive, reverse }) =>
    g.add("CumSum", [x!, scalar(g, axesOf(axis, x!.shape)[0]!, "int32")], {
      exclusive: Number(exclusive),
      reverse: Number(reverse),
    }),
  Softmax: (g, { logits }, { dim }) => g.add("Softmax", [logits!], { axis: dim as number }),
  LogSoftmax: (g, { logits }, { axis }) => g.add("LogSoftmax", [logits!], { axis: axis as number }),
  BatchMatMul: (g, { a, b }, { transposeA, transposeB }) => matMul(g, a!, b!, Boolean(transposeA), Boolean(transposeB)),
  Concat(g, inputs, { axis }) {
    const parts = listed(inputs);
    return concat(g, parts, axesOf(axis, parts[0]!.shape)[0]!);
  },
  Pack(g, inputs, { axis }) {
    const parts = listed(inputs);
    const shape = insertAxis(parts[0]!.shape, axis as number);
    const at = (axis as number) < 0 ? shape.length + (axis as number) : (axis as number);
    return concat(
      g,
      parts.map((x) => reshape(g, x, shape)),
      at,
    );
  },
  Unpack(g, { value }, { axis }) {
    const at = axesOf(axis, value!.shape)[0]!;
    const sizes = new Array<number>(value!.shape[at]!).fill(1);
    const shape = value!.shape.filter((_, i) => i !== at);
    return split(g, value!, sizes, at).map((part) => reshape(g, part, shape));
  },
  SplitV(g, { x }, { numOrSizeSplits, axis }) {
    const at = axesOf(axis, x!.shape)[0]!;
    const info = x as unknown as tf.Tensor; // only its shape is read
    return split(g, x!, tf.backend_util.prepareSplitSize(info, numOrSizeSplits as number | number[], at), at);
  },
  Slice: (g, { x }, { begin, size }) => slice(g, x!, begin as number[], size as number[]),
  PadV2(g, { x }, { paddings, constantValue }) {
    const pads = paddings as [number, number][];
    const amounts = [...pads.map((p) => p[0]), ...pads.map((p) => p[1])];
    return g.add("Pad", [x!, int64(g, amounts), scalar(g, constantValue as number, x!.dtype)], { mode: "constant" });
  },
  GatherV2(g, { x, indices }, { axis, batchDims }) {
    if (batchDims) throw new Error("trace: gather with batchDims > 0 cannot be compiled");
    return g.add("Gather", [x!, cast(g, indices!, "int32")], { axis: axesOf(axis, x!.shape)[0]! });
  },
  UnsortedSegmentSum: (g, { x, segmentIds }, { numSegments }) => segmentSum(g, x!, segmentIds!, numSegments as number),
  OneHot: (g, { indices }, { depth, onValue, offValue, dtype }) =>
    oneHot(
      g,
      indices!,
      depth as number,
      onValue as number,
      offValue as number,
      (dtype as DType | undefined) ?? "int32",
    ),
};
