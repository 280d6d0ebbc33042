/** A function as a graph that others than onnxruntime can run: in standard operators, with every input there is. */
import type { CompileOptions, InputSpecs, TensorFunction } from "./engine.ts";
import { anyBatch, type Graph } from "./graph.ts";
import { rewrite } from "./optimise.ts";
import { trace } from "./trace.ts";

/** Inputs that nothing reads are among its own as well: whoever feeds a model need not know which ones it looks at. */
export function portableGraph(fn: TensorFunction, inputs: InputSpecs, constants?: CompileOptions["constants"]): Graph {
  const graph = withPlainProducts(trace(fn, inputs, constants));
  const known = new Set(graph.inputs.map(({ source }) => (source.kind === "input" ? source.name : "")));
  for (const [name, { shape, dtype = "float32" }] of Object.entries(inputs)) {
    const sizes = shape.map((d) => (d === "batch" ? anyBatch : d));
    if (!known.has(name)) graph.input(name, dtype, sizes);
  }
  return graph;
}

/** FusedMatMul, onnxruntime's own, becomes MatMul of what is transposed before. */
function withPlainProducts(old: Graph): Graph {
  return rewrite(old, (g, { op, attributes }, inputs) => {
    if (op !== "FusedMatMul") return undefined;
    const [a, b] = inputs.map((x, i) => {
      if (attributes[i === 0 ? "transA" : "transB"] !== 1) return x;
      const axes = x.shape.map((_, axis) => axis);
      const perm = [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!];
      return g.add("Transpose", [x], { perm });
    });
    return [g.add("MatMul", [a!, b!])];
  });
}
