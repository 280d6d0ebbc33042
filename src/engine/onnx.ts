/** Writes a recorded graph as the bytes of an ONNX model (protobuf encoded by hand: the format needs 60 lines of it). */
import {
  anyBatch,
  type Graph,
  isBatchAxis,
  type Node,
  type Numbers,
  numbersOf,
  typedNumbers,
  type Value,
} from "./graph.ts";
import { type Attribute, type Attributes, type DType, dtypeCodes, type OpSpec, ops, product } from "./ops.ts";

const opset = 18;
const irVersion = 9;

/** Protobuf messages as a growing list of chunks; field numbers are those of onnx.proto. */
class Message {
  readonly chunks: Uint8Array[] = [];
  length = 0;

  varint(field: number, value: number | bigint): this {
    return this.#push(encodeVarint(BigInt(field << 3))).#push(encodeVarint(BigInt(value)));
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#push(encodeVarint(BigInt((field << 3) | 5))).#push(bytes);
  }

  bytes(field: number, bytes: Uint8Array): this {
    return this.#push(encodeVarint(BigInt((field << 3) | 2)))
      .#push(encodeVarint(BigInt(bytes.length)))
      .#push(bytes);
  }

  text(field: number, text: string): this {
    return this.bytes(field, new TextEncoder().encode(text));
  }

  message(field: number, message: Message): this {
    this.#push(encodeVarint(BigInt((field << 3) | 2))).#push(encodeVarint(BigInt(message.length)));
    for (const chunk of message.chunks) this.#push(chunk);
    return this;
  }

  #push(bytes: Uint8Array): this {
    this.chunks.push(bytes);
    this.length += bytes.length;
    return this;
  }
}

function encodeVarint(value: bigint): Uint8Array {
  let rest = BigInt.asUintN(64, value);
  const bytes: number[] = [];
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

/** What a file tells of itself. */
export interface AboutModel {
  /** Of the graph; default: model. */
  readonly name?: string;
  /** For people. */
  readonly description?: string;
  /** For programs: `metadata_props`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * The model's bytes. Inputs, outputs and frozen arrays keep their names; with a dynamic graph the batch axis is the
 * symbol `B`. Frozen arrays are copied once, into these bytes.
 */
export function encodeOnnx(graph: Graph, { name = "model", description, metadata = {} }: AboutModel = {}): Uint8Array {
  const writer = new GraphWriter(graph, name);
  const model = new Message().varint(1, irVersion).text(2, "autoifs");
  if (description !== undefined) model.text(6, description);
  model.message(7, writer.write()).message(8, new Message().text(1, "").varint(2, opset));
  const domains = new Set(graph.nodes.map(({ op }) => (ops[op] as OpSpec).domain));
  for (const domain of domains) if (domain) model.message(8, new Message().text(1, domain).varint(2, 1));
  for (const [key, value] of Object.entries(metadata)) model.message(14, new Message().text(1, key).text(2, value));
  return Buffer.concat(model.chunks);
}

class GraphWriter {
  readonly #graph: Graph;
  readonly #message = new Message();
  readonly #written = new Set<string>();
  readonly #name: string;

  constructor(graph: Graph, name: string) {
    this.#graph = graph;
    this.#name = name;
  }

  write(): Message {
    const { inputs, nodes, outputs } = this.#graph;
    for (const node of nodes) this.#node(node);
    for (const { name, value } of outputs) this.#emit("Identity", [this.#use(value)], [name], {});
    this.#message.text(2, this.#name);
    for (const value of inputs) this.#message.message(11, this.#valueInfo(nameOf(value), value));
    for (const { name, value } of outputs) this.#message.message(12, this.#valueInfo(name, value));
    return this.#message;
  }

  #node(node: Node): void {
    const inputs = node.inputs.map((value, i) =>
      i === 1 && (node.op === "Reshape" || node.op === "Expand") ? this.#shapeInput(node, value) : this.#use(value),
    );
    this.#emit(node.op, inputs, node.outputs.map(nameOf), node.attributes, (ops[node.op] as OpSpec).domain);
  }

  /** A target shape with the batch axis in it: -1 where Reshape can work it out, else built from the input's shape. */
  #shapeInput(node: Node, value: Value): string {
    const shape = numbersOf(value);
    const batchAxes = this.#graph.dynamic ? shape.filter(isBatchAxis).length : 0;
    if (batchAxes === 0) return this.#use(value);
    if (node.op === "Reshape" && batchAxes === 1)
      return this.#initializer(
        "int64",
        [shape.length],
        shape.map((d) => (isBatchAxis(d) ? -1 : d)),
      );
    const name = `shape_of_${nameOf(node.outputs[0]!)}`;
    const parts = shape.map((d, i) => {
      if (!isBatchAxis(d)) return this.#initializer("int64", [1], [d]);
      this.#emit("Mul", [this.#batchSize(), this.#initializer("int64", [1], [d / anyBatch])], [`${name}_${i}`], {});
      return `${name}_${i}`;
    });
    this.#emit("Concat", parts, [name], { axis: 0 });
    return name;
  }

  #batchSize(): string {
    if (!this.#written.has("batch_size")) {
      this.#written.add("batch_size");
      const input = this.#graph.inputs.find((x) => x.shape[0] === anyBatch);
      if (!input) throw new Error("onnx: a graph for any batch size needs an input with a batch axis");
      this.#emit("Shape", [nameOf(input)], ["batch_size"], { start: 0, end: 1 });
    }
    return "batch_size";
  }

  #use(value: Value): string {
    if (value.source.kind === "frozen") {
      const { name, values } = value.source;
      if (!this.#written.has(name)) this.#tensor(name, value.dtype, value.shape, values);
      return name;
    }
    if (value.source.kind !== "constant") return nameOf(value);
    if (value.source.uniform && product(value.shape) > 1024 && value.dtype !== "int64") {
      const name = `full_${value.dtype}[${value.shape}]=${value.source.numbers}`;
      if (this.#graph.dynamic && value.shape.some(isBatchAxis))
        throw new Error(`onnx: a constant of shape [${value.shape}] depends on the batch size`);
      if (!this.#written.has(name)) {
        this.#written.add(name);
        const one = this.#initializer(value.dtype, [], value.source.numbers);
        this.#emit("Expand", [one, this.#initializer("int64", [value.shape.length], value.shape)], [name], {});
      }
      return name;
    }
    return this.#initializer(value.dtype, value.shape, numbersOf(value));
  }

  /** Equal constants are written once. */
  #initializer(dtype: DType, shape: readonly number[], numbers: readonly number[]): string {
    const name = numbers.length > 16 ? `constant_${this.#written.size}` : `${dtype}[${shape}]=${numbers}`;
    if (!this.#written.has(name)) this.#tensor(name, dtype, shape, typedNumbers(dtype, numbers));
    return name;
  }

  #tensor(name: string, dtype: DType, shape: readonly number[], values: Numbers): void {
    this.#written.add(name);
    const tensor = new Message();
    for (const d of shape) tensor.varint(1, d);
    tensor
      .varint(2, dtypeCodes[dtype])
      .text(8, name)
      .bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    this.#message.message(5, tensor);
  }

  #emit(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Attributes,
    domain?: string,
  ): void {
    const node = new Message();
    for (const name of inputs) node.text(1, name);
    for (const name of outputs) node.text(2, name);
    node.text(3, outputs[0]!).text(4, op);
    for (const [name, attribute] of Object.entries(attributes)) node.message(5, encodeAttribute(name, attribute));
    if (domain) node.text(7, domain);
    this.#message.message(1, node);
  }

  #valueInfo(name: string, value: Value): Message {
    const shape = new Message();
    for (const d of value.shape) {
      const symbolic = this.#graph.dynamic && isBatchAxis(d);
      const symbol = d === anyBatch ? "B" : `B${d / anyBatch}`;
      shape.message(1, symbolic ? new Message().text(2, symbol) : new Message().varint(1, d));
    }
    const type = new Message().varint(1, dtypeCodes[value.dtype]).message(2, shape);
    return new Message().text(1, name).message(2, new Message().message(1, type));
  }
}

function nameOf(value: Value): string {
  return value.source.kind === "input" ? value.source.name : `v${value.id}`;
}

function encodeAttribute(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === "number") return message.varint(3, value).varint(20, 2);
  if (typeof value === "string") return message.text(4, value).varint(20, 3);
  if ("float" in value) return message.float(2, value.float).varint(20, 1);
  for (const x of value) message.varint(8, x);
  return message.varint(20, 7);
}
