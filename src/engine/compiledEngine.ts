/** The default engine: a traced function as one ONNX graph, run natively by onnxruntime. */
import { availableParallelism } from "node:os";
import ort from "onnxruntime-node";
import { type Arrays, type Engine, type InputSpecs, type Program } from "./engine.ts";
import { anyBatch, type Graph, isBatchAxis } from "./graph.ts";
import { encodeOnnx } from "./onnx.ts";
import { trace } from "./trace.ts";

export interface CompiledEngineOptions {
  /** Threads of one graph; default: one per core. */
  readonly threads?: number;
}

export function createCompiledEngine({ threads = availableParallelism() }: CompiledEngineOptions = {}): Engine {
  return {
    name: "compiled",
    async compile(fn, inputs, options = {}) {
      const graph = trace(fn, inputs, options.constants);
      const session = await ort.InferenceSession.create(encodeOnnx(graph), {
        intraOpNumThreads: options.threads ?? threads,
        interOpNumThreads: 1,
        executionMode: "sequential",
        graphOptimizationLevel: "all",
        logSeverityLevel: 3,
      });
      return new CompiledProgram(session, inputs, graph);
    },
  };
}

/** One input as a run needs it: what does not change from run to run is worked out once. */
interface PlannedInput {
  readonly name: string;
  /** Of the axes, with 1 for the batch. */
  readonly shape: readonly number[];
  readonly batchAxis: number;
  /** Values in one row of the batch, or in all where there is no batch axis. */
  readonly size: number;
  /** False where the graph does not read it. */
  readonly used: boolean;
}

class CompiledProgram implements Program {
  readonly #session: ort.InferenceSession;
  readonly #inputs: readonly PlannedInput[];
  readonly #outputs: readonly { readonly name: string; readonly shape: readonly number[] }[];

  constructor(session: ort.InferenceSession, inputs: InputSpecs, graph: Graph) {
    this.#session = session;
    const used = new Set(session.inputNames);
    this.#inputs = Object.entries(inputs).map(([name, spec]) => {
      const shape = spec.shape.map((d) => (d === "batch" ? 1 : d));
      const size = shape.reduce((a, b) => a * b, 1);
      return { name, shape, size, batchAxis: spec.shape.indexOf("batch"), used: used.has(name) };
    });
    this.#outputs = graph.outputs.map(({ name, value }) => ({ name, shape: value.shape }));
  }

  async run(inputs: Arrays, into: Readonly<Record<string, Float32Array>> = {}): Promise<Record<string, Float32Array>> {
    const feeds: Record<string, ort.Tensor> = {};
    let batch: number | undefined;
    for (const input of this.#inputs) {
      const values = inputs[input.name];
      if (!values) throw new Error(`run: input ${input.name} is missing`);
      if (input.batchAxis >= 0) batch ??= values.length / input.size;
      const shape = input.batchAxis >= 0 ? input.shape.with(input.batchAxis, batch!) : input.shape;
      const expected = input.batchAxis >= 0 ? input.size * batch! : input.size;
      if (expected !== values.length || !Number.isInteger(batch ?? 1))
        throw new Error(`run: input ${input.name}: expected [${shape}] with ${expected} values, got ${values.length}`);
      if (input.used) feeds[input.name] = tensorOver(values, shape);
    }
    const fetches: Record<string, ort.Tensor | null> = {};
    for (const { name, shape } of this.#outputs)
      fetches[name] = into[name] ? tensorOver(into[name], sized(shape, batch)) : null;
    const results = await this.#session.run(feeds, fetches);
    const outputs: Record<string, Float32Array> = {};
    for (const { name } of this.#outputs) outputs[name] = into[name] ?? (results[name]!.data as Float32Array);
    return outputs;
  }

  release(): Promise<void> {
    return this.#session.release();
  }
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
