/** The recorded graph: values, nodes, inputs, outputs. Plain data with a builder and a printed form for tests. */
import { type Attributes, type DType, type OpName, type OpSpec, ops, product, type TensorType } from "./ops.ts";

export type Numbers = Float32Array | Int32Array | BigInt64Array | Int8Array | Uint8Array;
export type FrozenValues = Float32Array | Int32Array | Int8Array;

export interface Node {
  readonly op: OpName;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly outputs: Value[];
}

export type Value = TensorType & {
  readonly id: number;
  readonly source:
    | { readonly kind: "input"; readonly name: string }
    /** All elements, in row-major order; `uniform` when they are all the same number and kept only once. */
    | { readonly kind: "constant"; readonly numbers: readonly number[]; readonly uniform: boolean }
    /** A constant too, but data with a name: its numbers are looked at by nobody before they are written. */
    | { readonly kind: "frozen"; readonly name: string; readonly values: FrozenValues }
    | { readonly kind: "node"; readonly node: Node };
};

export interface GraphOutput {
  readonly name: string;
  readonly value: Value;
}

/**
 * In a graph for any batch size the batch axis has this size while it is recorded: a prime no layer uses, so that
 * every multiple of it in a shape is known to stem from the batch. Printed and written as `B`.
 */
export const anyBatch = 4099;

export const isBatchAxis = (dimension: number): boolean => dimension > 0 && dimension % anyBatch === 0;

export class Graph {
  readonly nodes: Node[] = [];
  readonly inputs: Value[] = [];
  outputs: GraphOutput[] = [];
  /** True when the batch axis of every input has the size `anyBatch`. */
  readonly dynamic: boolean;
  #nextId = 0;

  constructor(dynamic: boolean) {
    this.dynamic = dynamic;
  }

  input(name: string, dtype: DType, shape: readonly number[]): Value {
    const value: Value = { id: this.#nextId++, dtype, shape, source: { kind: "input", name } };
    this.inputs.push(value);
    return value;
  }

  frozen(name: string, shape: readonly number[], values: FrozenValues): Value {
    const dtype = values instanceof Float32Array ? "float32" : values instanceof Int32Array ? "int32" : "int8";
    return { id: this.#nextId++, dtype, shape, source: { kind: "frozen", name, values } };
  }

  constant(dtype: DType, shape: readonly number[], numbers: readonly number[]): Value {
    const uniform = numbers.length > 0 && numbers.every((x) => x === numbers[0]);
    const kept = uniform ? [numbers[0]!] : numbers;
    return { id: this.#nextId++, dtype, shape, source: { kind: "constant", numbers: kept, uniform } };
  }

  /** A constant of which every element is `x`. */
  full(dtype: DType, shape: readonly number[], x: number): Value {
    return { id: this.#nextId++, dtype, shape, source: { kind: "constant", numbers: [x], uniform: true } };
  }

  add(op: OpName, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.addMany(op, inputs, attributes)[0]!;
  }

  addMany(op: OpName, inputs: readonly Value[], attributes: Attributes = {}): readonly Value[] {
    const spec: OpSpec = ops[op];
    const values = inputs.map((x) => (x.dtype === "int64" && x.source.kind === "constant" ? numbersOf(x) : undefined));
    const node: Node = { op, inputs, attributes, outputs: [] };
    for (const type of spec.infer(inputs, attributes, values))
      node.outputs.push({ id: this.#nextId++, dtype: type.dtype, shape: type.shape, source: { kind: "node", node } });
    this.nodes.push(node);
    return node.outputs;
  }

  /** One line per node, values renumbered in order of use: equal graphs print equal texts. */
  print(): string {
    const names = new Map<Value, string>();
    const name = (value: Value): string => {
      if (value.source.kind === "constant") {
        const { numbers } = value.source;
        const shown = numbers.length > 8 ? `${numbers.slice(0, 8)},...#${checksum(numbers)}` : `${numbers}`;
        return product(value.shape) === 1 ? shown : `${dims(value, this.dynamic)}{${shown}}`;
      }
      if (value.source.kind === "frozen") return value.source.name;
      if (!names.has(value)) names.set(value, `%${names.size}`);
      return names.get(value)!;
    };
    const typed = (value: Value): string => `${name(value)}:${value.dtype}${dims(value, this.dynamic)}`;
    const lines = [`graph(${this.inputs.map((x) => `${sourceName(x)} ${typed(x)}`).join(", ")})`];
    for (const { op, inputs, attributes, outputs } of this.nodes) {
      const shown = Object.entries(attributes).map(
        ([key, a]) => `${key}=${typeof a === "object" && "float" in a ? a.float : a}`,
      );
      const args = [...inputs.map(name), ...shown].join(" ");
      lines.push(`  ${outputs.map(typed).join(", ")} = ${op} ${args}`);
    }
    lines.push(`  return ${this.outputs.map((x) => `${x.name}=${name(x.value)}`).join(", ")}`);
    return lines.join("\n");
  }
}

/** All elements of a constant. */
export function numbersOf(value: Value): readonly number[] {
  if (value.source.kind !== "constant") throw new Error("numbersOf: expected a constant");
  const { numbers, uniform } = value.source;
  return uniform ? Array.from({ length: product(value.shape) }, () => numbers[0]!) : numbers;
}

/** The one number all elements share, or undefined. */
export function uniformOf(value: Value): number | undefined {
  return value.source.kind === "constant" && value.source.uniform ? value.source.numbers[0] : undefined;
}

export function typedNumbers(dtype: DType, numbers: readonly number[]): Numbers {
  switch (dtype) {
    case "float32":
      return Float32Array.from(numbers);
    case "int32":
      return Int32Array.from(numbers);
    case "int64":
      return BigInt64Array.from(numbers, (x) => BigInt(x));
    case "int8":
      return Int8Array.from(numbers);
    case "bool":
      return Uint8Array.from(numbers);
    default:
      throw new Error(`typedNumbers: ${dtype satisfies never}`);
  }
}

function sourceName(value: Value): string {
  return value.source.kind === "input" ? value.source.name : "";
}

function dims(value: Value, dynamic: boolean): string {
  return `[${value.shape.map((d) => (dynamic && isBatchAxis(d) ? (d === anyBatch ? "B" : `B*${d / anyBatch}`) : d))}]`;
}

function checksum(numbers: readonly number[]): string {
  let hash = 2166136261;
  for (const byte of new Uint8Array(Float64Array.from(numbers).buffer)) hash = Math.imul(hash ^ byte, 16777619);
  return (hash >>> 0).toString(16);
}
