/** What an engine is: it takes a pure function over tensors and runs it on arrays, many times. */
import type { Tensor } from "@tensorflow/tfjs-core";

/** Pure: uses only its inputs, and constants it makes itself. Values are never read inside. */
export type TensorFunction = (inputs: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>;

export interface InputSpec {
  /** "batch" stands for a size that may differ from run to run; the same in all inputs of one run. */
  readonly shape: readonly (number | "batch")[];
  /** Default float32. */
  readonly dtype?: "float32" | "int32";
}

export type InputSpecs = Readonly<Record<string, InputSpec>>;

/** Values by name, row-major. */
export type Arrays = Readonly<Record<string, Float32Array | Int32Array>>;

/** An array that never changes. The function sees int8 values as an int32 tensor; a graph keeps them as int8. */
export interface ConstantArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array | Int8Array;
}

export interface CompileOptions {
  /**
   * Further inputs of the function, whose values become part of the program: it lays them out as it likes and computes
   * ahead what depends on nothing else. They must not be changed afterwards.
   */
  readonly constants?: Readonly<Record<string, ConstantArray>>;
  /** Threads of one run; default: the engine's own number. Only the compiled engine has a choice. */
  readonly threads?: number;
}

export interface Program {
  /**
   * Runs the function. An output with a name in `into` is written to that array, which must have its size; others get
   * a fresh one. Inputs with a batch axis give the batch size by their length.
   */
  run(inputs: Arrays, into?: Readonly<Record<string, Float32Array>>): Promise<Record<string, Float32Array>>;
  /** Frees what the program holds; it must not be run again. */
  release(): Promise<void>;
}

export interface Engine {
  readonly name: "compiled" | "cpu" | "wasm" | "tensorflow";
  compile(fn: TensorFunction, inputs: InputSpecs, options?: CompileOptions): Promise<Program>;
}

/** The sizes of one run's inputs, with the batch size taken from their lengths; throws where a length does not fit. */
export function resolveShapes(specs: InputSpecs, arrays: Arrays): Record<string, number[]> {
  let batch: number | undefined;
  return Object.fromEntries(
    Object.entries(specs).map(([name, { shape }]) => {
      const length = arrays[name]?.length;
      if (length === undefined) throw new Error(`run: input ${name} is missing`);
      const fixed = shape.reduce<number>((size, d) => (d === "batch" ? size : size * d), 1);
      if (shape.includes("batch")) batch ??= length / fixed;
      const sizes = shape.map((d) => (d === "batch" ? batch! : d));
      const expected = sizes.reduce((a, b) => a * b, 1);
      if (expected !== length)
        throw new Error(`run: input ${name}: expected [${shape}] with ${expected} values, got ${length}`);
      return [name, sizes];
    }),
  );
}
