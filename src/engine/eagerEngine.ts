/** The slow, obvious engine: the same function run by tfjs operator by operator, on `cpu`, `wasm` or `tensorflow`. */
import "@tensorflow/tfjs"; // brings the cpu backend and the gradients
import * as tf from "@tensorflow/tfjs-core";
import { type Engine, resolveShapes } from "./engine.ts";

/** Loads the backend; throws where it is not installed. */
export async function createEagerEngine(name: "cpu" | "wasm" | "tensorflow"): Promise<Engine> {
  tf.env().set("IS_TEST", true); // silences tfjs's advice to install its native backend, which is a choice here
  if (name === "wasm") await import("@tensorflow/tfjs-backend-wasm");
  if (name === "tensorflow") await import("@tensorflow/tfjs-node" as string);
  if (!(await tf.setBackend(name))) throw new Error(`engine: the tfjs backend ${name} could not be started`);
  return {
    name,
    async compile(fn, specs) {
      return {
        async run(inputs, into = {}) {
          const shapes = resolveShapes(specs, inputs);
          if (tf.getBackend() !== name) await tf.setBackend(name);
          const outputs = tf.tidy(() => {
            const tensors = Object.entries(shapes).map(([key, shape]) => {
              const values = inputs[key]!;
              return [key, tf.tensor(values.slice(), shape, values instanceof Int32Array ? "int32" : "float32")];
            });
            return fn(Object.fromEntries(tensors)) as Record<string, tf.Tensor>;
          });
          const results = Object.entries(outputs).map(([key, x]) => {
            const values = x.dataSync() as Float32Array;
            x.dispose();
            into[key]?.set(values);
            return [key, into[key] ?? values] as const;
          });
          return Object.fromEntries(results);
        },
        async release() {},
      };
    },
  };
}
