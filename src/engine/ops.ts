/**
 * The closed set of graph operators: ONNX operators (opset 18) of which each entry tells how shape and type follow
 * from the inputs. The recorder asks it when a node is added; the ONNX writer takes names and domains from it.
 */

export type DType = "float32" | "int32" | "int64" | "int8" | "bool";

export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export type Attribute = number | string | readonly number[] | { readonly float: number };
export type Attributes = Readonly<Record<string, Attribute>>;

export interface OpSpec {
  /** Types of the outputs from the types of the inputs; `values` holds the numbers of constant int64 inputs. */
  infer(
    inputs: readonly TensorType[],
    attributes: Attributes,
    values: readonly (readonly number[] | undefined)[],
  ): TensorType[];
  readonly domain?: string;
}

export const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** NumPy's rule; throws where two sizes differ and neither is 1. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new Error(`broadcast: [${a}] and [${b}] differ in axis ${i}`);
    return x === 1 ? y : x;
  });
}

const same: OpSpec = { infer: ([x]) => [x!] };
const binary: OpSpec = { infer: ([a, b]) => [{ dtype: a!.dtype, shape: broadcastShape(a!.shape, b!.shape) }] };
const comparison: OpSpec = { infer: ([a, b]) => [{ dtype: "bool", shape: broadcastShape(a!.shape, b!.shape) }] };

const reduction: OpSpec = {
  infer([x], { keepdims }, [, axes]) {
    const kept = x!.shape.map((d, i) => (axes!.includes(i) ? 1 : d));
    return [{ dtype: x!.dtype, shape: keepdims === 1 ? kept : x!.shape.filter((_, i) => !axes!.includes(i)) }];
  },
};

const argument: OpSpec = {
  infer: ([x], { axis }) => [{ dtype: "int64", shape: x!.shape.filter((_, i) => i !== axis) }],
};

const matrixProduct: OpSpec = {
  infer([a, b], { transA = 0, transB = 0 }) {
    const rows = transA === 1 ? a!.shape.at(-1)! : a!.shape.at(-2)!;
    const inner = transA === 1 ? a!.shape.at(-2)! : a!.shape.at(-1)!;
    const innerB = transB === 1 ? b!.shape.at(-1)! : b!.shape.at(-2)!;
    const columns = transB === 1 ? b!.shape.at(-2)! : b!.shape.at(-1)!;
    if (inner !== innerB)
      throw new Error(`matMul: [${a!.shape}] x [${b!.shape}]: inner sizes ${inner} and ${innerB} differ`);
    const batch = broadcastShape(a!.shape.slice(0, -2), b!.shape.slice(0, -2));
    return [{ dtype: a!.dtype, shape: [...batch, rows, columns] }];
  },
};

export const ops = {
  Abs: same,
  Ceil: same,
  Cos: same,
  Elu: same,
  Erf: same,
  Exp: same,
  Floor: same,
  Identity: same,
  LeakyRelu: same,
  Log: same,
  Neg: same,
  Not: same,
  Reciprocal: same,
  Relu: same,
  Round: same,
  Sigmoid: same,
  Sign: same,
  Sin: same,
  Softplus: same,
  Sqrt: same,
  Tanh: same,
  HardSigmoid: same,
  Clip: same,
  Softmax: same,
  LogSoftmax: same,
  Add: binary,
  Sub: binary,
  Mul: binary,
  Div: binary,
  Max: binary,
  Min: binary,
  Pow: binary,
  Equal: comparison,
  Greater: comparison,
  GreaterOrEqual: comparison,
  Less: comparison,
  LessOrEqual: comparison,
  And: comparison,
  Or: comparison,
  Where: {
    infer: ([c, a, b]) => [{ dtype: a!.dtype, shape: broadcastShape(c!.shape, broadcastShape(a!.shape, b!.shape)) }],
  },
  Cast: { infer: ([x], { to }) => [{ dtype: dtypeOfCode(to as number), shape: x!.shape }] },
  Reshape: { infer: ([x], _, [, shape]) => [{ dtype: x!.dtype, shape: shape! }] },
  Expand: { infer: ([x], _, [, shape]) => [{ dtype: x!.dtype, shape: broadcastShape(x!.shape, shape!) }] },
  Transpose: { infer: ([x], { perm }) => [{ dtype: x!.dtype, shape: (perm as number[]).map((p) => x!.shape[p]!) }] },
  Tile: { infer: ([x], _, [, repeats]) => [{ dtype: x!.dtype, shape: x!.shape.map((d, i) => d * repeats![i]!) }] },
  Concat: {
    infer(inputs, { axis }) {
      const shape = [...inputs[0]!.shape];
      shape[axis as number] = inputs.reduce((sum, x) => sum + x.shape[axis as number]!, 0);
      return [{ dtype: inputs[0]!.dtype, shape }];
    },
  },
  Split: {
    infer: ([x], { axis }, [, sizes]) =>
      sizes!.map((size) => ({ dtype: x!.dtype, shape: x!.shape.map((d, i) => (i === axis ? size : d)) })),
  },
  Slice: {
    infer: ([x], _, [, starts, ends, axes]) => [
      {
        dtype: x!.dtype,
        shape: x!.shape.map((d, i) => {
          const at = axes!.indexOf(i);
          return at < 0 ? d : Math.min(ends![at]!, d) - starts![at]!;
        }),
      },
    ],
  },
  Pad: {
    infer: ([x], _, [, pads]) => [
      { dtype: x!.dtype, shape: x!.shape.map((d, i) => d + pads![i]! + pads![i + x!.shape.length]!) },
    ],
  },
  Gather: {
    infer: ([x, i], { axis }) => [
      {
        dtype: x!.dtype,
        shape: [...x!.shape.slice(0, axis as number), ...i!.shape, ...x!.shape.slice((axis as number) + 1)],
      },
    ],
  },
  /** Only with reduction "add"; ONNX's ScatterND would lose updates between threads. */
  ScatterElements: same,
  CumSum: same,
  ReduceSum: reduction,
  ReduceMean: reduction,
  ReduceMax: reduction,
  ReduceMin: reduction,
  ReduceProd: reduction,
  ArgMax: argument,
  ArgMin: argument,
  Gemm: matrixProduct,
  MatMul: matrixProduct,
  FusedMatMul: { ...matrixProduct, domain: "com.microsoft" },
} as const satisfies Readonly<Record<string, OpSpec>>;

export type OpName = keyof typeof ops;

/** Codes of ONNX TensorProto.DataType. */
export const dtypeCodes: Readonly<Record<DType, number>> = { float32: 1, int8: 3, int32: 6, int64: 7, bool: 9 };

function dtypeOfCode(code: number): DType {
  const found = (Object.keys(dtypeCodes) as DType[]).find((dtype) => dtypeCodes[dtype] === code);
  if (!found) throw new Error(`Cast: unknown type code ${code}`);
  return found;
}
