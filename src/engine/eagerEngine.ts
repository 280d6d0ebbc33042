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
    async compile(fn, specs, { constants = {} } = {}) {
      if (tf.getBackend() !== name) await tf.setBackend(name);
      const frozen = Object.fromEntries(
        Object.entries(constants).map(([key, { shape, values }]) => {
          const isFloat = values instanceof Float32Array;
          return [
            key,
            tf.tensor(isFloat ? values : Int32Array.from(values), [...shape], isFloat ? "float32" : "int32"),
          ];
        }),
      );
      return {
        async run(inputs, into = {}) {
          const shapes = resolveShapes(specs, inputs);
          if (tf.getBackend() !== name) await tf.setBackend(name);
          const outputs = tf.tidy(() => {
            const tensors = Object.entries(shapes).map(([key, shape]) => {
              const values = inputs[key]!;
              return [key, tf.tensor(values.slice(), shape, values instanceof Int32Array ? "int32" : "float32")];
            });
            // Clones, as what the function gives back is disposed.
            const clones = Object.entries(frozen).map(([key, x]) => [key, tf.clone(x)]);
            return fn(Object.fromEntries([...tensors, ...clones])) as Record<string, tf.Tensor>;
          });
          const results = Object.entries(outputs).map(([key, x]) => {
            const values = x.dataSync() as Float32Array;
            x.dispose();
            into[key]?.set(values);
            return [key, into[key] ?? values] as const;
          });
          return Object.fromEntries(results);
        },
        async release() {
          tf.dispose(frozen);
        },
      };
    },
  };
}
