/**
 * How each operator of a recorded graph is written with TensorFlow's: the table of graphModel.ts. An operator that has no entry
 * is refused by name.
 */
import { ConflictError } from "../errors.ts";
import { type Node, numbersOf, type Value } from "./graph.ts";
import { type DType, dtypeCodes, type OpName } from "./ops.ts";

export type TfAttribute =
  | { readonly type: string }
  | { readonly b: boolean }
  | { readonly i: string }
  | { readonly f: number }
  | { readonly shape: { readonly dim: readonly { readonly size: string }[] } };

export interface TfOp {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes?: Readonly<Record<string, TfAttribute>>;
}

/** What an entry works with: names of tensors, and constants it needs. */
export interface TfWriter {
  /** Inputs of the node. */
  readonly x: readonly string[];
  /** Adds a node of which the first output is used. */
  add(op: TfOp): string;
  integers(numbers: readonly number[]): string;
  integer(number: number): string;
  float(number: number): string;
  /** An int32 tensor with the sizes; those that stem from the batch are worked out when it runs. */
  shape(sizes: readonly number[], inferable: boolean): string;
}

/** The node's outputs as `TfOp`, of which the outputs are numbered. */
type Written = (node: Node, w: TfWriter) => TfOp;

export const tfTypes: Readonly<Record<DType, string>> = {
  float32: "DT_FLOAT",
  // tfjs has neither: what is int8 or int64 in the recording is int32 in its files.
  int8: "DT_INT32",
  int64: "DT_INT32",
  int32: "DT_INT32",
  bool: "DT_BOOL",
};

const simple =
  (op: string): Written =>
  (_, { x }) => ({ op, inputs: x });

const reduction =
  (op: string): Written =>
  ({ inputs, attributes }, { x, integers }) => ({
    op,
    inputs: [x[0]!, integers(numbersOf(inputs[1]!))],
    attributes: { keep_dims: { b: attributes["keepdims"] === 1 } },
  });

const argument =
  (op: string): Written =>
  ({ attributes }, { x, integer }) => ({ op, inputs: [x[0]!, integer(attributes["axis"] as number)] });

/** tfjs takes these along the last axis alone. */
const alongLast =
  (op: string): Written =>
  ({ inputs, attributes }, { x }) => {
    const rank = inputs[0]!.shape.length;
    const axis = attributes["axis"] as number;
    if (axis !== -1 && axis !== rank - 1) throw cannotWrite(`${op} along axis ${axis} of ${rank}`);
    return { op, inputs: x };
  };

const clipped = (w: TfWriter, x: string, low: string, high: string): TfOp => ({
  op: "Minimum",
  inputs: [w.add({ op: "Maximum", inputs: [x, low] }), high],
});

const floatOf = (attribute: unknown): number => (attribute as { readonly float: number }).float;

const batchProduct: Written = ({ attributes }, { x }) => ({
  op: "BatchMatMulV2",
  inputs: x,
  attributes: { adj_x: { b: attributes["transA"] === 1 }, adj_y: { b: attributes["transB"] === 1 } },
});

const table: { readonly [Op in OpName]?: Written } = {
  Abs: simple("Abs"),
  Ceil: simple("Ceil"),
  Cos: simple("Cos"),
  Elu: simple("Elu"),
  Erf: simple("Erf"),
  Exp: simple("Exp"),
  Floor: simple("Floor"),
  Identity: simple("Identity"),
  Log: simple("Log"),
  Neg: simple("Neg"),
  Not: simple("LogicalNot"),
  Reciprocal: simple("Reciprocal"),
  Relu: simple("Relu"),
  Round: simple("Round"),
  Sigmoid: simple("Sigmoid"),
  Sign: simple("Sign"),
  Sin: simple("Sin"),
  Softplus: simple("Softplus"),
  Sqrt: simple("Sqrt"),
  Tanh: simple("Tanh"),
  Softmax: alongLast("Softmax"),
  LogSoftmax: alongLast("LogSoftmax"),
  Add: simple("AddV2"),
  Sub: simple("Sub"),
  Mul: simple("Mul"),
  Div: simple("RealDiv"),
  Max: simple("Maximum"),
  Min: simple("Minimum"),
  Pow: simple("Pow"),
  Equal: simple("Equal"),
  Greater: simple("Greater"),
  GreaterOrEqual: simple("GreaterEqual"),
  Less: simple("Less"),
  LessOrEqual: simple("LessEqual"),
  And: simple("LogicalAnd"),
  Or: simple("LogicalOr"),
  Where: simple("SelectV2"),
  MatMul: batchProduct,
  FusedMatMul: batchProduct,
  ReduceSum: reduction("Sum"),
  ReduceMean: reduction("Mean"),
  ReduceMax: reduction("Max"),
  ReduceMin: reduction("Min"),
  ReduceProd: reduction("Prod"),
  ArgMax: argument("ArgMax"),
  ArgMin: argument("ArgMin"),
  LeakyRelu: ({ attributes }, { x }) => ({
    op: "LeakyRelu",
    inputs: x,
    attributes: { alpha: { f: floatOf(attributes["alpha"]) } },
  }),
  /** max(0, min(1, alpha·x + beta)) */
  HardSigmoid({ attributes }, w) {
    const scaled = w.add({ op: "Mul", inputs: [w.x[0]!, w.float(floatOf(attributes["alpha"]))] });
    const moved = w.add({ op: "AddV2", inputs: [scaled, w.float(floatOf(attributes["beta"]))] });
    return clipped(w, moved, w.float(0), w.float(1));
  },
  Clip: (_, w) => clipped(w, w.x[0]!, w.x[1]!, w.x[2]!),
  Cast({ inputs, attributes }, { x }) {
    const to = (Object.keys(dtypeCodes) as DType[]).find((dtype) => dtypeCodes[dtype] === attributes["to"])!;
    return { op: "Cast", inputs: x, attributes: { SrcT: typed(inputs[0]!.dtype), DstT: typed(to) } };
  },
  Reshape: ({ inputs }, { x, shape }) => ({ op: "Reshape", inputs: [x[0]!, shape(numbersOf(inputs[1]!), true)] }),
  Expand: ({ outputs }, { x, shape }) => ({ op: "BroadcastTo", inputs: [x[0]!, shape(outputs[0]!.shape, false)] }),
  Transpose: ({ attributes }, { x, integers }) => ({
    op: "Transpose",
    inputs: [x[0]!, integers(attributes["perm"] as number[])],
  }),
  Tile: ({ inputs }, { x, integers }) => ({ op: "Tile", inputs: [x[0]!, integers(numbersOf(inputs[1]!))] }),
  Concat: ({ attributes }, { x, integer }) => ({
    op: "ConcatV2",
    inputs: [...x, integer(attributes["axis"] as number)],
    attributes: { N: { i: String(x.length) } },
  }),
  Split({ inputs, attributes }, { x, integers, integer }) {
    const sizes = numbersOf(inputs[1]!);
    return {
      op: "SplitV",
      inputs: [x[0]!, integers(sizes), integer(attributes["axis"] as number)],
      attributes: { num_split: { i: String(sizes.length) } },
    };
  },
  Slice({ inputs }, { x, integers }) {
    const [whole, starts, ends, axes] = inputs as [Value, Value, Value, Value];
    const at = (axis: number): number => numbersOf(axes).indexOf(axis);
    const begin = whole.shape.map((_, axis) => (at(axis) < 0 ? 0 : numbersOf(starts)[at(axis)]!));
    // −1: up to the end, whatever the size.
    const size = whole.shape.map((_, axis) => (at(axis) < 0 ? -1 : numbersOf(ends)[at(axis)]! - begin[axis]!));
    return { op: "Slice", inputs: [x[0]!, integers(begin), integers(size)] };
  },
  Gather: ({ attributes }, { x, integer }) => ({
    op: "GatherV2",
    inputs: [...x, integer(attributes["axis"] as number)],
    attributes: { batch_dims: { i: "0" } },
  }),
  CumSum: ({ attributes }, { x }) => ({
    op: "Cumsum",
    inputs: x,
    attributes: { exclusive: { b: attributes["exclusive"] === 1 }, reverse: { b: attributes["reverse"] === 1 } },
  }),
  /** a·b, or a·b + c */
  Gemm({ attributes }, w) {
    const [a, b, c] = w.x as [string, string, string?];
    const product: TfOp = {
      op: "MatMul",
      inputs: [a, b],
      attributes: { transpose_a: { b: attributes["transA"] === 1 }, transpose_b: { b: attributes["transB"] === 1 } },
    };
    return c === undefined ? product : { op: "AddV2", inputs: [w.add(product), c] };
  },
};

/** Throws ConflictError for an operator that cannot be written. */
export function writtenNode(node: Node, writer: TfWriter): TfOp {
  const write = table[node.op];
  if (!write) throw cannotWrite(node.op);
  return write(node, writer);
}

export const typed = (dtype: DType): TfAttribute => ({ type: tfTypes[dtype] });

function cannotWrite(operator: string): ConflictError {
  const expected = "a model of operators that the TensorFlow.js layout has";
  return new ConflictError(`format: expected ${expected}, but it needs ${operator}`, {
    field: "format",
    expected,
    received: operator,
    hint: "export it as ONNX",
  });
}
