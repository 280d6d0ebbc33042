/** A function as an ONNX model, for those who run it elsewhere. */
import type { CompileOptions, InputSpecs, TensorFunction } from "./engine.ts";
import { type AboutModel, encodeOnnx } from "./onnx.ts";
import { portableGraph } from "./portableGraph.ts";

/**
 * The bytes of a model of opset 18 in ONNX's own operators, whose inputs and outputs have the function's names, a batch axis
 * being the symbol `B`, with the constants inside. It needs nothing of this product.
 */
export function onnxModel(
  fn: TensorFunction,
  inputs: InputSpecs,
  { constants, ...about }: Pick<CompileOptions, "constants"> & AboutModel = {},
): Uint8Array {
  return encodeOnnx(portableGraph(fn, inputs, constants), about);
}
