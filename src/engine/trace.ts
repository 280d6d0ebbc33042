/** Records one run of a plain tfjs function as a graph: the first half of the compiled engine. */
import "@tensorflow/tfjs"; // registers the gradients, which tfjs-core alone does not under Node
import * as tf from "@tensorflow/tfjs-core";
import type { CompileOptions, InputSpecs, TensorFunction } from "./engine.ts";
import { anyBatch, Graph } from "./graph.ts";
import { optimise } from "./optimise.ts";
import { recordInto, recordingBackendName, registerRecordingBackend } from "./recordingBackend.ts";

/** Comparisons have no gradient in tfjs; their derivative is zero wherever it exists. */
function registerMissingGradients(): void {
  for (const kernelName of ["Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual"]) {
    if (tf.getGradient(kernelName)) continue;
    tf.registerGradient({
      kernelName,
      inputsToSave: ["a", "b"],
      gradFunc: (_, [a, b]) => ({ a: () => tf.zerosLike(a!), b: () => tf.zerosLike(b!) }),
    });
  }
}

/**
 * Runs `fn` once on symbols. An input axis given as "batch" makes the graph valid for any batch size.
 * Throws, naming the cause, where `fn` reads values, draws random numbers on the host, uses tensors from outside, or
 * needs a kernel that is not mapped: never a silently wrong graph.
 */
export function trace(fn: TensorFunction, inputs: InputSpecs, constants: CompileOptions["constants"] = {}): Graph {
  const twice = Object.keys(constants).find((name) => name in inputs);
  if (twice !== undefined) throw new Error(`trace: ${twice} is both an input and a constant`);
  registerRecordingBackend();
  registerMissingGradients();
  const dynamic = Object.values(inputs).some(({ shape }) => shape.includes("batch"));
  const graph = new Graph(dynamic);
  const previous = tf.getBackend();
  const random = Math.random;
  Math.random = () => {
    throw new Error(
      "trace: Math.random() was called in the traced function (tf.dropout or an unseeded initialiser?); random numbers must be inputs",
    );
  };
  try {
    void tf.setBackend(recordingBackendName); // synchronous for a backend that needs no loading
    tf.tidy(() =>
      recordInto(graph, (tensor, value) => {
        const named = Object.entries(inputs).map(([name, { shape, dtype = "float32" }]) => {
          const sizes = shape.map((d) => (d === "batch" ? anyBatch : d));
          return [name, tensor(graph.input(name, dtype, sizes))] as const;
        });
        const frozen = Object.entries(constants).map(([name, { shape, values }]) => {
          return [name, tensor(graph.frozen(name, shape, values))] as const;
        });
        const outputs = fn(Object.fromEntries([...named, ...frozen]));
        graph.outputs = Object.entries(outputs).map(([name, x]) => ({ name, value: value(x) }));
      }),
    );
  } finally {
    Math.random = random;
    if (previous) void tf.setBackend(previous);
  }
  return optimise(graph);
}
