/** The default engine: a traced function as one ONNX graph, run natively by onnxruntime. */
import { availableParallelism } from "node:os";
import ort from "onnxruntime-node";
import { type Arrays, type Engine, type InputSpecs, type Program, resolveShapes } from "./engine.ts";
import { anyBatch, isBatchAxis } from "./graph.ts";
import { encodeOnnx } from "./onnx.ts";
import { trace } from "./trace.ts";

export interface CompiledEngineOptions {
  /** Threads of one graph; default: one per core. */
  readonly threads?: number;
}

export function createCompiledEngine({ threads = availableParallelism() }: CompiledEngineOptions = {}): Engine {
  return {
    name: "compiled",
    async compile(fn, inputs) {
      const graph = trace(fn, inputs);
      const session = await ort.InferenceSession.create(encodeOnnx(graph), {
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: "sequential",
        graphOptimizationLevel: "all",
        logSeverityLevel: 3,
      });
      return new CompiledProgram(session, inputs, new Map(graph.outputs.map(({ name, value }) => [name, value.shape])));
    },
  };
}

class CompiledProgram implements Program {
  readonly #session: ort.InferenceSession;
  readonly #inputs: InputSpecs;
  readonly #outputShapes: ReadonlyMap<string, readonly number[]>;

  constructor(session: ort.InferenceSession, inputs: InputSpecs, outputShapes: ReadonlyMap<string, readonly number[]>) {
    this.#session = session;
    this.#inputs = inputs;
    this.#outputShapes = outputShapes;
  }

  async run(inputs: Arrays, into: Readonly<Record<string, Float32Array>> = {}): Promise<Record<string, Float32Array>> {
    const shapes = resolveShapes(this.#inputs, inputs);
    const batch = batchSize(this.#inputs, shapes);
    const used = new Set(this.#session.inputNames);
    const feeds: Record<string, ort.Tensor> = {};
    for (const [name, shape] of Object.entries(shapes))
      if (used.has(name)) feeds[name] = tensorOver(inputs[name]!, shape);
    const fetches: Record<string, ort.Tensor | null> = {};
    for (const [name, shape] of this.#outputShapes)
      fetches[name] = into[name] ? tensorOver(into[name], sized(shape, batch)) : null;
    const results = await this.#session.run(feeds, fetches);
    return Object.fromEntries(
      [...this.#outputShapes.keys()].map((name) => [name, into[name] ?? (results[name]!.data as Float32Array)]),
    );
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

/** The size of the batch axis in this run; undefined in a program of fixed size. */
function batchSize(specs: InputSpecs, shapes: Readonly<Record<string, readonly number[]>>): number | undefined {
  for (const [name, { shape }] of Object.entries(specs))
    if (shape.includes("batch")) return shapes[name]![shape.indexOf("batch")];
  return undefined;
}

function sized(shape: readonly number[], batch: number | undefined): number[] {
  return shape.map((d) => (batch !== undefined && isBatchAxis(d) ? (d / anyBatch) * batch : d));
}

/** A tensor that shares the array's memory. */
function tensorOver(values: Float32Array | Int32Array, shape: readonly number[]): ort.Tensor {
  return values instanceof Int32Array
    ? new ort.Tensor("int32", values, shape)
    : new ort.Tensor("float32", values, shape);
}
