import * as tf from "@tensorflow/tfjs-core";
import ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import type { CompileOptions, InputSpecs, TensorFunction } from "../../src/engine/engine.ts";
import { createEngine } from "../../src/engine/engines.ts";
import { graphCost } from "../../src/engine/graphCost.ts";
import { onnxModel } from "../../src/engine/onnxModel.ts";
import { trace } from "../../src/engine/trace.ts";

/** Rows of a table by id, times a matrix: y [batch, 2]. */
const look: TensorFunction = ({ ids, table, kernel }) => ({
  y: tf.matMul(tf.cast(tf.gather(table!, ids as tf.Tensor1D), "float32") as tf.Tensor2D, kernel as tf.Tensor2D),
});
const inputs: InputSpecs = { ids: { shape: ["batch"], dtype: "int32" } };
const kernel = { shape: [3, 2], values: Float32Array.of(1, 0, 0, 1, 1, 1) };
const constants = { table: { shape: [2, 3], values: Float32Array.of(1, 2, 3, 40, 50, 60) }, kernel };
const ids = Int32Array.of(1, 0, 1);
const expected = [100, 110, 4, 5, 100, 110];

describe("constants of a program", () => {
  for (const name of ["compiled", "cpu"] as const)
    it(`are inputs whose values it has already, on ${name}, for any batch size`, async () => {
      const engine = await createEngine(name);
      const program = await engine.compile(look, inputs, { constants, threads: 1 });
      expect([...(await program.run({ ids }))["y"]!]).toEqual(expected);
      expect([...(await program.run({ ids: Int32Array.of(0) }))["y"]!]).toEqual([4, 5]);
      await program.release();
    });

  for (const name of ["compiled", "cpu"] as const)
    it(`may be whole numbers of 8 or 32 bits, on ${name}`, async () => {
      const engine = await createEngine(name);
      for (const type of [Int8Array, Int32Array]) {
        const table = { shape: [2, 3], values: type.of(1, 2, 3, 40, 50, 60) };
        const program = await engine.compile(look, inputs, { constants: { table, kernel } });
        expect([...(await program.run({ ids }))["y"]!]).toEqual(expected);
        await program.release();
      }
    });

  it("stay what they are in the graph: of an int8 table only the rows that are taken are widened", () => {
    const table = { shape: [2, 3], values: Int8Array.of(1, 2, 3, 40, 50, 60) };
    expect(trace(look, inputs, { table, kernel }).print()).toBe(
      [
        "graph(ids %0:int32[B])",
        "  %1:int8[B,3] = Gather table %0 axis=0",
        "  %2:int32[B,3] = Cast %1 to=6",
        "  %3:float32[B,3] = Cast %2 to=1",
        "  %4:float32[B,2] = Gemm %3 kernel transA=0 transB=0",
        "  return y=%4",
      ].join("\n"),
    );
  });

  it("may not have the name of an input", async () => {
    const engine = await createEngine("compiled");
    const twice: CompileOptions = { constants: { ids: kernel } };
    await expect(engine.compile(look, inputs, twice)).rejects.toThrow("trace: ids is both an input and a constant");
  });

  it("are inside the bytes of a model that onnxruntime runs by itself", async () => {
    const session = await ort.InferenceSession.create(onnxModel(look, inputs, { constants }));
    const { y } = await session.run({ ids: new ort.Tensor("int32", ids, [3]) });
    expect([...(y!.data as Float32Array)]).toEqual(expected);
    expect(session.inputNames).toEqual(["ids"]);
    await session.release();
  });

  it("cost nothing where they meet each other alone", () => {
    const squared: TensorFunction = ({ x, kernel }) => {
      const square = tf.matMul(kernel as tf.Tensor2D, kernel as tf.Tensor2D, false, true); // [3, 3]
      return { y: tf.matMul(x as tf.Tensor2D, square) };
    };
    const cost = graphCost(squared, { x: { shape: ["batch", 3] } }, { constants: { ...constants } });
    expect(cost).toEqual({ flopsPerRow: 2 * 3 * 3, constants: ["kernel"] });
  });
});

describe("a run of a program", () => {
  it("refuses inputs that do not fit", async () => {
    const add: TensorFunction = ({ x, y }) => ({ sum: tf.add(x!, y!) });
    const specs: InputSpecs = { x: { shape: ["batch", 2] }, y: { shape: ["batch", 2] } };
    const program = await (await createEngine("compiled")).compile(add, specs);
    const x = new Float32Array(4);
    await expect(program.run({ x })).rejects.toThrow("run: input y is missing");
    await expect(program.run({ x, y: new Float32Array(6) })).rejects.toThrow(
      "run: input y: expected [2,2] with 4 values, got 6",
    );
    await expect(program.run({ x: new Float32Array(3), y: x })).rejects.toThrow("run: input x: expected");
    await program.release();
  });
});
