/**
 * A tfjs backend that computes nothing: every kernel adds nodes to the graph being recorded.
 * It knows tensors as handles on graph values; reading a value fails, because values do not exist while recording.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { DataId, KernelConfig, TensorInfo } from "@tensorflow/tfjs-core";
import { cast } from "./expressions.ts";
import { anyBatch, type Graph, type Value } from "./graph.ts";
import { type DType, product } from "./ops.ts";
import { type RecordedKernel, recordedKernels } from "./recordedKernels.ts";

export const recordingBackendName = "autoifs-recording";

/** Constants up to this many different numbers may be written in a model; larger ones are data and must be inputs. */
const largestConstant = 1024;

/** The data id of a recorded tensor: a fresh one per tensor, so that tfjs may count and dispose them as it likes. */
class Handle {
  readonly graph: Graph;
  readonly value: Value;

  constructor(graph: Graph, value: Value) {
    this.graph = graph;
    this.value = value;
  }
}

class RecordingBackend extends tf.KernelBackend {
  graph: Graph | undefined;

  handle(value: Value): DataId {
    return new Handle(this.current(), value);
  }

  current(): Graph {
    if (!this.graph) throw new Error("trace: a recorded tensor was used after its recording ended");
    return this.graph;
  }

  /** The graph value behind a tensor; fails for tensors made outside the recording. */
  value(info: TensorInfo): Value {
    const id: unknown = info.dataId;
    if (!(id instanceof Handle))
      throw new Error(
        `trace: a tensor of shape [${info.shape}] made outside the traced function was used in it; pass it as an input`,
      );
    if (id.graph !== this.graph)
      throw new Error(`trace: a tensor of shape [${info.shape}] leaked from another recording`);
    return id.value;
  }

  override write(values: tf.BackendValues | null, shape: number[], dtype: tf.DataType): DataId {
    const known = graphType(dtype);
    const numbers = Array.from((values ?? []) as ArrayLike<number>, Number);
    const constant = this.current().constant(known, shape, numbers);
    const different = constant.source.kind === "constant" && !constant.source.uniform;
    if (different && numbers.length > largestConstant)
      throw new Error(
        `trace: a constant of shape [${shape}] with differing values was made in the traced function (random numbers or data?); pass it as an input`,
      );
    if (
      this.current().dynamic &&
      numbers.length > 0 &&
      product(shape) === 1 &&
      numbers[0]! > 0 &&
      numbers[0]! % anyBatch === 0
    )
      throw new Error("trace: the batch size was used as a number in a function traced for any batch size");
    return this.handle(constant);
  }

  override readSync(): tf.BackendValues {
    throw new Error(
      "trace: a tensor's values were read (data, dataSync, array or print) while tracing; values do not exist yet",
    );
  }

  override read(): Promise<tf.BackendValues> {
    return Promise.resolve(this.readSync());
  }

  override disposeData(): boolean {
    return true;
  }

  override refCount(): number {
    return 1;
  }

  override incRef(): void {}

  override numDataIds(): number {
    return 0;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return false;
  }

  override dispose(): void {}
}

const backend = new RecordingBackend();

function graphType(dtype: tf.DataType): DType {
  if (dtype === "float32" || dtype === "int32" || dtype === "bool") return dtype;
  throw new Error(`trace: tensors of type ${dtype} cannot be compiled`);
}

function register(name: string, record: RecordedKernel): void {
  const kernelFunc: KernelConfig["kernelFunc"] = ({ inputs, attrs }) => {
    const graph = backend.current();
    const named = Object.fromEntries(
      Object.entries(inputs).map(([key, x]) => {
        const value = backend.value(x as TensorInfo);
        // tfjs has no int8: what it takes for int32 is widened where it is used, after a gather only the rows taken.
        return [key, value.dtype === "int8" && name !== "GatherV2" ? cast(graph, value, "int32") : value];
      }),
    );
    const result = record(graph, named, (attrs ?? {}) as Readonly<Record<string, unknown>>);
    const infos = (Array.isArray(result) ? result : [result]).map((value: Value) => ({
      dataId: backend.handle(value),
      shape: [...value.shape],
      dtype: tfjsType(value.dtype),
    }));
    return Array.isArray(result) ? infos : infos[0]!;
  };
  tf.registerKernel({ kernelName: name, backendName: recordingBackendName, kernelFunc });
}

function tfjsType(dtype: DType): "float32" | "int32" | "bool" {
  if (dtype === "int64") throw new Error("trace: an int64 value cannot leave the recorder");
  return dtype === "int8" ? "int32" : dtype;
}

/** Makes the backend known to tfjs; harmless when called again. */
export function registerRecordingBackend(): void {
  if (tf.findBackendFactory(recordingBackendName)) return;
  tf.registerBackend(recordingBackendName, () => backend, 0);
  for (const [name, record] of Object.entries(recordedKernels)) register(name, record);
}

/** Runs `build` with `graph` as the recording's target; tensors in it are handles on the graph's values. */
export function recordInto(
  graph: Graph,
  build: (tensor: (value: Value) => tf.Tensor, value: (x: tf.Tensor) => Value) => void,
): void {
  const engine = tf.engine();
  backend.graph = graph;
  try {
    build(
      (value) =>
        engine.makeTensorFromTensorInfo({
          dataId: backend.handle(value),
          shape: [...value.shape],
          dtype: tfjsType(value.dtype),
        }),
      (x) => backend.value(x),
    );
  } finally {
    backend.graph = undefined;
  }
}
