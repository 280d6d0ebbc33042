/** What one row of a function for any batch size costs. */
import type { CompileOptions, InputSpecs, TensorFunction } from "./engine.ts";
import { anyBatch, type Graph, type Value } from "./graph.ts";
import { product } from "./ops.ts";
import { trace } from "./trace.ts";

export interface GraphCost {
  /** Multiplications and additions of the matrix products per row; what depends on constants alone does not count. */
  readonly flopsPerRow: number;
  /** Names of the constants that are read. */
  readonly constants: readonly string[];
}

/** All inputs must have the batch axis. */
export function graphCost(
  fn: TensorFunction,
  inputs: InputSpecs,
  { constants }: Pick<CompileOptions, "constants"> = {},
): GraphCost {
  const graph = trace(fn, inputs, constants);
  return { flopsPerRow: flopsOf(graph) / anyBatch, constants: namesRead(graph) };
}

/** Multiplications and additions of the matrix products of one run, for a function of fixed sizes. */
export function flopsOfRun(fn: TensorFunction, inputs: InputSpecs): number {
  return flopsOf(trace(fn, inputs));
}

function flopsOf(graph: Graph): number {
  const fixed = new Set<Value>();
  const isFixed = (value: Value): boolean =>
    value.source.kind === "constant" || value.source.kind === "frozen" || fixed.has(value);
  let flops = 0;
  for (const { op, inputs, outputs, attributes } of graph.nodes) {
    if (inputs.every(isFixed)) outputs.forEach((output) => fixed.add(output));
    else if (op === "Gemm" || op === "MatMul" || op === "FusedMatMul") {
      const inner = inputs[0]!.shape.at(attributes["transA"] === 1 ? -2 : -1)!;
      flops += 2 * inner * product(outputs[0]!.shape);
    }
  }
  return flops;
}

function namesRead(graph: Graph): string[] {
  const values = [...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map(({ value }) => value)];
  return [...new Set(values.flatMap(({ source }) => (source.kind === "frozen" ? [source.name] : [])))];
}
