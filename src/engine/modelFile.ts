/** Runs a model file as anybody would, in a session of its own with the library's own defaults: to check what was written. */
import * as tf from "@tensorflow/tfjs";
import ort from "onnxruntime-node";
import { type Arrays, type InputSpecs, resolveShapes } from "./engine.ts";
import type { GraphModelFiles } from "./graphModel.ts";

export interface ModelFile {
  run(inputs: Arrays): Promise<Record<string, Float32Array>>;
  release(): Promise<void>;
}

/** `inputs`: all that the file has. */
export async function openOnnx(bytes: Uint8Array, inputs: InputSpecs): Promise<ModelFile> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  return {
    async run(arrays) {
      const feeds = Object.entries(resolveShapes(inputs, arrays)).map(([name, shape]) => {
        const values = arrays[name]!;
        const tensor =
          values instanceof Int32Array
            ? new ort.Tensor("int32", values, shape)
            : new ort.Tensor("float32", values, shape);
        return [name, tensor] as const;
      });
      const results = await session.run(Object.fromEntries(feeds));
      return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]));
    },
    release: () => session.release(),
  };
}

/** By tfjs on its own `cpu` backend. */
export async function openGraphModel({ json, weights }: GraphModelFiles, inputs: InputSpecs): Promise<ModelFile> {
  tf.env().set("IS_TEST", true); // silences tfjs's advice to install its native backend
  await tf.setBackend("cpu");
  const topology = JSON.parse(json) as tf.io.ModelJSON;
  const data = weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength) as ArrayBuffer;
  const model = tf.loadGraphModelSync([topology, data]);
  return {
    async run(arrays) {
      if (tf.getBackend() !== "cpu") await tf.setBackend("cpu");
      const shapes = resolveShapes(inputs, arrays);
      const outputs = tf.tidy(() => {
        const feeds = Object.entries(shapes).map(([name, shape]) => {
          const values = arrays[name]!;
          return [name, tf.tensor(values, shape, values instanceof Int32Array ? "int32" : "float32")] as const;
        });
        const names = model.outputs.map(({ name }) => name);
        const results = [model.execute(Object.fromEntries(feeds), names)].flat();
        return Object.fromEntries(results.map((x, i) => [names[i]!, x]));
      });
      const read = Object.entries(outputs).map(([name, x]) => [name, x.dataSync() as Float32Array] as const);
      tf.dispose(outputs);
      return Object.fromEntries(read);
    },
    async release() {
      model.dispose();
    },
  };
}
