/**
 * Writes a function in the layout that `tf.loadGraphModel` reads: a graph of TensorFlow operators as JSON, and its arrays as bytes.
 */
import type { CompileOptions, InputSpecs, TensorFunction } from "./engine.ts";
import {
  anyBatch,
  type Graph,
  isBatchAxis,
  type Node,
  numbersOf,
  type Numbers,
  typedNumbers,
  type Value,
} from "./graph.ts";
import type { DType } from "./ops.ts";
import { portableGraph } from "./portableGraph.ts";
import { type TfAttribute, type TfOp, type TfWriter, tfTypes, typed, writtenNode } from "./tfNodes.ts";

export interface GraphModelFiles {
  /** model.json */
  readonly json: string;
  /** The file that model.json calls `weightsFile`. */
  readonly weights: Uint8Array;
}

export const weightsFile = "group1-shard1of1.bin";

/** Inputs and outputs have the function's names. Throws ConflictError for an operator that cannot be written. */
export function graphModel(
  fn: TensorFunction,
  inputs: InputSpecs,
  { constants, producer }: Pick<CompileOptions, "constants"> & { readonly producer: string },
): GraphModelFiles {
  const graph = portableGraph(fn, inputs, constants);
  const writer = new Writer(graph);
  writer.write();
  const { nodes, weights } = writer;
  const json = JSON.stringify({
    format: "graph-model",
    generatedBy: producer,
    convertedBy: producer,
    signature: {
      inputs: Object.fromEntries(graph.inputs.map((x) => [nameOf(x), tensorInfo(nameOf(x), x)])),
      outputs: Object.fromEntries(graph.outputs.map(({ name, value }) => [name, tensorInfo(name, value)])),
    },
    modelTopology: { node: nodes, library: {}, versions: { producer: 1482 } },
    weightsManifest: [{ paths: [weightsFile], weights: weights.map(({ spec }) => spec) }],
  });
  return { json, weights: Buffer.concat(weights.map(({ bytes }) => bytes)) };
}

interface WrittenNode {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, TfAttribute>>;
}

interface Weight {
  readonly spec: object;
  readonly bytes: Uint8Array;
}

class Writer {
  readonly nodes: WrittenNode[] = [];
  readonly weights: Weight[] = [];
  readonly #graph: Graph;
  /** Constants by what they hold. */
  readonly #written = new Map<string, string>();
  readonly #names = new Map<Value, string>();
  #count = 0;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  write(): void {
    const { inputs, nodes, outputs } = this.#graph;
    for (const value of inputs) {
      const attr = { dtype: typed(value.dtype), shape: { shape: { dim: dims(value) } } };
      this.nodes.push({ name: nameOf(value), op: "Placeholder", input: [], attr });
      this.#names.set(value, nameOf(value));
    }
    for (const node of nodes) this.#node(node);
    for (const { name, value } of outputs) this.#add({ op: "Identity", inputs: [this.#use(value)] }, value.dtype, name);
  }

  #node(node: Node): void {
    const { dtype } = node.outputs[0]!;
    let used: readonly string[] | undefined;
    const use = (value: Value): string => this.#use(value);
    const writer: TfWriter = {
      // Shapes and axes among the inputs are written by the entries of the table, as they need them.
      get x() {
        return (used ??= node.inputs.filter((x) => x.dtype !== "int64" || x.source.kind === "node").map(use));
      },
      add: (op) => this.#add(op, dtype),
      integers: (numbers) => this.#constant("int32", [numbers.length], numbers),
      integer: (number) => this.#constant("int32", [], [number]),
      float: (number) => this.#constant("float32", [], [number]),
      shape: (sizes, inferable) => this.#shape(sizes, inferable),
    };
    const name = this.#add(writtenNode(node, writer), dtype);
    node.outputs.forEach((output, i) => this.#names.set(output, i === 0 ? name : `${name}:${i}`));
  }

  #add({ op, inputs, attributes = {} }: TfOp, dtype: DType, name = `node_${this.#count++}`): string {
    this.nodes.push({ name, op, input: inputs, attr: { T: typed(dtype), ...attributes } });
    return name;
  }

  #use(value: Value): string {
    if (value.source.kind === "constant") return this.#constant(value.dtype, value.shape, numbersOf(value));
    if (value.source.kind !== "frozen") return this.#names.get(value)!;
    const { name, values } = value.source;
    return this.#tensor(name, name, value, values);
  }

  #constant(dtype: DType, shape: readonly number[], numbers: readonly number[]): string {
    if (shape.some(isBatchAxis))
      throw new Error(`graphModel: a constant of shape [${shape}] depends on the batch size`);
    const kept = dtype === "int64" ? "int32" : dtype;
    const key = `${kept}[${shape}]=${numbers}`;
    return this.#tensor(key, `constant_${this.#written.size}`, { dtype: kept, shape }, typedNumbers(kept, numbers));
  }

  /** One per `key`. */
  #tensor(key: string, name: string, { dtype, shape }: Pick<Value, "dtype" | "shape">, values: Numbers): string {
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    this.#written.set(key, name);
    const isSmall = dtype === "int8";
    // tfjs reads such a number as byte·scale + min: in the file one byte, in memory the int32 it was.
    const quantization = isSmall ? { quantization: { dtype: "uint8", scale: 1, min: -128 } } : {};
    const bytes = isSmall
      ? unsigned(values as Int8Array)
      : new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.weights.push({ spec: { name, shape, dtype: isSmall ? "int32" : dtype, ...quantization }, bytes });
    this.nodes.push({ name, op: "Const", input: [], attr: { dtype: typed(dtype) } });
    return name;
  }

  /** As the ONNX writer does it: −1 where Reshape can work the batch out, else built from the first input's shape. */
  #shape(sizes: readonly number[], inferable: boolean): string {
    const batchAxes = sizes.filter(isBatchAxis).length;
    if (batchAxes === 0 || (inferable && batchAxes === 1))
      return this.#constant(
        "int32",
        [sizes.length],
        sizes.map((d) => (isBatchAxis(d) ? -1 : d)),
      );
    const integers = (numbers: readonly number[]): string => this.#constant("int32", [numbers.length], numbers);
    const input = this.#graph.inputs.find((x) => x.shape[0] === anyBatch)!;
    const whole = this.#add({ op: "Shape", inputs: [nameOf(input)] }, "int32");
    const batch = this.#add({ op: "Slice", inputs: [whole, integers([0]), integers([1])] }, "int32");
    const parts = sizes.map((d) =>
      isBatchAxis(d) ? this.#add({ op: "Mul", inputs: [batch, integers([d / anyBatch])] }, "int32") : integers([d]),
    );
    const axis = this.#constant("int32", [], [0]);
    const attributes = { N: { i: String(parts.length) } };
    return this.#add({ op: "ConcatV2", inputs: [...parts, axis], attributes }, "int32");
  }
}

/** −128..127 as 0..255. A loop, as there are millions: `from` with a function takes ten times as long. */
function unsigned(values: Int8Array): Uint8Array {
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) bytes[i] = values[i]! + 128;
  return bytes;
}

const nameOf = (value: Value): string => (value.source.kind === "input" ? value.source.name : "");

const dims = ({ shape }: Value) => shape.map((d) => ({ size: isBatchAxis(d) ? "-1" : String(d) }));

function tensorInfo(name: string, value: Value): object {
  return { name: `${name}:0`, dtype: tfTypes[value.dtype], tensorShape: { dim: dims(value) } };
}
