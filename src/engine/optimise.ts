/** Makes a recorded graph smaller without changing its results: equal nodes once, no dead nodes, biases inside Gemm. */
import { Graph, type Node, numbersOf, type Value } from "./graph.ts";
import { product } from "./ops.ts";

/** A new graph with the same inputs' names and outputs; inputs that nothing reads are left out. */
export function optimise(recorded: Graph): Graph {
  return dropDead(sumRowsByProduct(fuseBias(dropDead(shareStepInputs(dropRepeated(recorded))))));
}

/** Rebuilds a graph node by node; `replace` may give other outputs for a node whose inputs are already rewritten. */
export function rewrite(
  old: Graph,
  replace: (g: Graph, node: Node, inputs: readonly Value[]) => readonly Value[] | undefined,
  keep?: ReadonlySet<Node | Value>,
): Graph {
  const g = new Graph(old.dynamic);
  const now = new Map<Value, Value>();
  const of = (value: Value): Value => now.get(value) ?? value; // constants are shared between graphs
  for (const input of old.inputs) {
    if (keep && !keep.has(input)) continue;
    if (input.source.kind === "input") now.set(input, g.input(input.source.name, input.dtype, input.shape));
  }
  for (const node of old.nodes) {
    if (keep && !keep.has(node)) continue;
    const inputs = node.inputs.map(of);
    const outputs = replace(g, node, inputs) ?? g.addMany(node.op, inputs, node.attributes);
    node.outputs.forEach((output, i) => now.set(output, outputs[i]!));
  }
  g.outputs = old.outputs.map(({ name, value }) => ({ name, value: of(value) }));
  return g;
}

function dropRepeated(old: Graph): Graph {
  const seen = new Map<string, readonly Value[]>();
  const key = (value: Value): string =>
    value.source.kind === "constant" && value.source.numbers.length <= 16
      ? `${value.dtype}[${value.shape}]{${value.source.numbers}}`
      : `${value.source.kind}%${value.id}`;
  return rewrite(old, (g, node, inputs) => {
    const signature = `${node.op}(${inputs.map(key)})${JSON.stringify(node.attributes)}`;
    const outputs = seen.get(signature) ?? g.addMany(node.op, inputs, node.attributes);
    seen.set(signature, outputs);
    return outputs;
  });
}

/** step(x) = step(relu(x)): with relu(x) at hand anyway, x itself need not stay in memory until the backward pass. */
function shareStepInputs(old: Graph): Graph {
  const reluOf = new Map<Value, Value>();
  return rewrite(old, (g, node, inputs) => {
    if (node.op === "Relu") {
      const outputs = g.addMany("Relu", inputs);
      reluOf.set(inputs[0]!, outputs[0]!);
      return outputs;
    }
    const relu = node.op === "HardSigmoid" ? reluOf.get(inputs[0]!) : undefined;
    return relu && [g.add("HardSigmoid", [relu], node.attributes)];
  });
}

/** Add(Gemm(a, b), bias) → Gemm(a, b, bias) where the product is used nowhere else. */
function fuseBias(old: Graph): Graph {
  const uses = new Map<Value, number>();
  const count = (value: Value): void => void uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const node of old.nodes) node.inputs.forEach(count);
  for (const { value } of old.outputs) count(value);
  return rewrite(old, (g, node, inputs) => {
    if (node.op !== "Add") return undefined;
    for (const [i, j] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const [sum, bias] = [inputs[i]!, inputs[j]!];
      const gemm = sum.source.kind === "node" && sum.source.node.op === "Gemm" ? sum.source.node : undefined;
      const columns = sum.shape[1];
      const isRow = bias.shape.at(-1) === columns && product(bias.shape) === columns;
      const isSum = bias.shape.length === 2 && bias.shape.every((d, axis) => d === sum.shape[axis]);
      if (gemm?.inputs.length === 2 && (isRow || isSum) && uses.get(node.inputs[i]!) === 1)
        return [g.add("Gemm", [...gemm.inputs, bias], gemm.attributes)];
    }
    return undefined;
  });
}

/**
 * Sums over the first axis, as gradients of biases are, become a product with a row of ones: a fifth of the time of ONNX's
 * ReduceSum along that axis.
 */
function sumRowsByProduct(old: Graph): Graph {
  if (old.dynamic) return old; // the row of ones has the batch's size
  return rewrite(old, (g, node, [x, axes]) => {
    const overRows = node.op === "ReduceSum" && x!.shape.length >= 2 && numbersOf(axes!).join() === "0";
    if (!overRows || x!.dtype !== "float32") return undefined;
    const [rows, ...rest] = x!.shape as [number, ...number[]];
    const columns = product(rest);
    const reshaped = (y: Value, shape: readonly number[]): Value =>
      g.add("Reshape", [y, g.constant("int64", [shape.length], shape)]);
    const matrix = rest.length === 1 ? x! : reshaped(x!, [rows, columns]);
    const sums = g.add("Gemm", [g.full("float32", [1, rows], 1), matrix], { transA: 0, transB: 0 }); // [1, columns]
    return [reshaped(sums, node.attributes["keepdims"] === 1 ? [1, ...rest] : rest)];
  });
}

function dropDead(old: Graph): Graph {
  const alive = new Set<Node | Value>();
  const visit = (value: Value): void => {
    if (value.source.kind === "input") alive.add(value);
    if (value.source.kind !== "node" || alive.has(value.source.node)) return;
    alive.add(value.source.node);
    value.source.node.inputs.forEach(visit);
  };
  for (const { value } of old.outputs) visit(value);
  return rewrite(old, () => undefined, alive);
}
