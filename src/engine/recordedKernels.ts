/**
 * How each tfjs kernel is written with graph operators. A kernel that is missing here fails by name when a model uses
 * it under the compiled engine; tfjs itself reports it.
 */
import * as tf from "@tensorflow/tfjs-core";
import {
  axesOf,
  binary,
  cast,
  concat,
  expand,
  insertAxis,
  int64,
  matMul,
  oneHot,
  reduce,
  reshape,
  scalar,
  segmentSum,
  slice,
  split,
  step,
  tile,
} from "./expressions.ts";
import type { Graph, Value } from "./graph.ts";
import { type DType, type OpName, product } from "./ops.ts";

type Inputs = Readonly<Record<string, Value>>;
type Attrs = Readonly<Record<string, unknown>>;
export type RecordedKernel = (g: Graph, inputs: Inputs, attrs: Attrs) => Value | Value[];

const unary =
  (op: OpName, attributes = {}): RecordedKernel =>
  (g, { x }) =>
    g.add(op, [x!], attributes);

const elementwise =
  (op: OpName): RecordedKernel =>
  (g, { a, b }) =>
    binary(g, op, a!, b!);

const reduction =
  (op: OpName, axisName = "axis"): RecordedKernel =>
  (g, { x }, attrs) =>
    reduce(g, op, x!, attrs[axisName], attrs["keepDims"]);

const argument =
  (op: OpName): RecordedKernel =>
  (g, { x }, { axis }) =>
    cast(g, g.add(op, [x!], { axis: axesOf(axis, x!.shape)[0]!, keepdims: 0 }), "int32");

/** The inputs of a kernel with a list of tensors, in order. */
const listed = (inputs: Inputs): Value[] =>
  Object.keys(inputs)
    .sort((a, b) => Number(a) - Number(b))
    .map((key) => inputs[key]!);

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
    const c = reshape(
      g,
      condition!,
      t!.shape.map((_, i) => condition!.shape[i] ?? 1),
    );
    return g.add("Where", [c, t!, e!]);
  },
  Cast: (g, { x }, { dtype }) => cast(g, x!, dtype as DType),
  ZerosLike: (g, { x }) => g.full(x!.dtype, x!.shape, 0),
  OnesLike: (g, { x }) => g.full(x!.dtype, x!.shape, 1),
  Fill: (g, _, { shape, value, dtype }) =>
    g.full((dtype as DType | undefined) ?? "float32", shape as number[], value as number),
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
    const sizes = Array.from({ length: value!.shape[at]! }, () => 1);
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
    const rows = g.add("Gather", [x!, cast(g, indices!, "int32")], { axis: axesOf(axis, x!.shape)[0]! });
    return rows.dtype === "int8" ? cast(g, rows, "int32") : rows;
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
