import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import type { InputSpecs, TensorFunction } from "../../src/engine/engine.ts";
import { createEngine } from "../../src/engine/engines.ts";
import { type FieldLayout, fieldPlaces } from "../../src/fieldLayout.ts";
import { fieldEmbeddings } from "../../src/model/fieldEmbeddings.ts";
import { rowSlots } from "../../src/model/rowSlots.ts";
import { createRandom } from "../../src/random.ts";

const e = 3;
const padding = 99;
/** Of every kind; the target of the sequence comes after it, and the neighbours of it are ids too. */
const layouts: readonly FieldLayout[] = [
  { kind: "POOLED", length: 3, padding },
  { kind: "VALUE" },
  { kind: "VALUE" },
  { kind: "POOLED", length: 4, padding, attendsTo: 5 },
  { kind: "ID" },
  { kind: "ID" },
  { kind: "ID" },
  { kind: "VECTOR", width: 2 },
  { kind: "VALUE" },
];
const sizes = { fields: layouts.length, embeddingDim: e, layouts };

/** Rows whose POOLED fields have `counts` values. */
function madeInputs(counts: readonly number[]) {
  const slots = rowSlots(sizes);
  const random = createRandom(4, "fields");
  const normals = (length: number): Float32Array => new Float32Array(length).map(() => random.normal());
  const ids = new Int32Array(counts.length * slots.ids);
  for (const [row, count] of counts.entries())
    for (const { layout, firstId } of fieldPlaces(layouts))
      if (layout.kind === "POOLED")
        for (let i = count; i < layout.length; i++) ids[row * slots.ids + firstId + i] = padding;
  const present = new Float32Array(counts.length * slots.pooled);
  slots.fillPresent(ids, present);
  const params = Object.entries(fieldEmbeddings(sizes).params).map(
    ([name, { shape }]) => [`p/${name}`, normals(shape.reduce((a, b) => a * b, 1))] as const,
  );
  const gathered = normals(ids.length * e);
  const numbers = normals(counts.length * slots.numbers);
  const specs: InputSpecs = {
    gathered: { shape: [counts.length, slots.ids * e] },
    present: { shape: [counts.length, slots.pooled] },
    numbers: { shape: [counts.length, slots.numbers] },
    ...Object.fromEntries(
      Object.entries(fieldEmbeddings(sizes).params).map(([name, { shape }]) => [`p/${name}`, { shape }]),
    ),
  };
  return { ids, slots, specs, arrays: { gathered, present, numbers, ...Object.fromEntries(params) } };
}

/** The same in loops, in double precision [rows, fields·e]. */
function reference({ ids, slots, arrays }: ReturnType<typeof madeInputs>): Float64Array {
  const rows = ids.length / slots.ids;
  const out = new Float64Array(rows * layouts.length * e);
  const places = fieldPlaces(layouts);
  const p = (name: string): Float32Array => arrays[`p/${name}` as keyof typeof arrays];
  for (let row = 0; row < rows; row++) {
    const embedding = (slot: number, j: number): number => arrays.gathered[(row * slots.ids + slot) * e + j]!;
    const number = (slot: number): number => arrays.numbers[row * slots.numbers + slot]!;
    for (const [field, { layout, firstId, firstNumber, ids: count }] of places.entries()) {
      const known = Array.from({ length: count }, (_, i) => firstId + i).filter(
        (slot) => ids[row * slots.ids + slot] !== padding,
      );
      const scoreOf = (slot: number, target: number): number => {
        let score = 0;
        for (let i = 0; i < e; i++)
          for (let j = 0; j < e; j++)
            score +=
              embedding(target, i) * (Number(i === j) + p(`${field}.attention`)[i * e + j]!) * embedding(slot, j);
        return score / Math.sqrt(e);
      };
      for (let j = 0; j < e; j++) {
        let x = 0;
        if (layout.kind === "ID") x = embedding(firstId, j);
        if (layout.kind === "VALUE") x = number(firstNumber) * embedding(firstId, j);
        if (layout.kind === "VECTOR") {
          x = p(`${field}.projection.bias`)[j]!;
          for (let i = 0; i < layout.width; i++)
            x += number(firstNumber + i) * p(`${field}.projection.kernel`)[i * e + j]!;
        }
        if (layout.kind === "POOLED") {
          const target = layout.attendsTo === undefined ? undefined : places[layout.attendsTo]!.firstId;
          const weights = known.map((slot) => (target === undefined ? 1 : Math.exp(scoreOf(slot, target))));
          const whole = weights.reduce((sum, weight) => sum + weight, 0);
          x = known.reduce((sum, slot, i) => sum + (weights[i]! / whole) * embedding(slot, j), 0);
        }
        out[(row * layouts.length + field) * e + j] = x;
      }
    }
  }
  return out;
}

const featuresOf = (inputs: Readonly<Record<string, Tensor>>): Tensor2D => {
  const named = Object.entries(inputs).map(([name, value]) => [name.replace("p/", ""), value] as const);
  const [gathered, present, numbers] = ["gathered", "present", "numbers"].map((name) => inputs[name] as Tensor2D);
  return fieldEmbeddings(sizes).features(Object.fromEntries(named), { gathered: gathered!, present, numbers });
};

/** Features, and the gradients of the sum of their squares. */
const withGradients: TensorFunction = (inputs) => {
  const names = Object.keys(inputs).filter((name) => name === "gathered" || name.startsWith("p/"));
  const gradients = tf.grads((...values: Tensor[]) =>
    tf.sum(tf.square(featuresOf({ ...inputs, ...Object.fromEntries(names.map((name, i) => [name, values[i]!])) }))),
  )(names.map((name) => inputs[name]!));
  return { features: featuresOf(inputs), ...Object.fromEntries(names.map((name, i) => [`d ${name}`, gradients[i]!])) };
};

async function run(engineName: "cpu" | "compiled", { specs, arrays }: ReturnType<typeof madeInputs>) {
  const program = await (await createEngine(engineName)).compile(withGradients, specs);
  const results = await program.run(arrays);
  await program.release();
  return results;
}

/** Rows with all values, with some, with one, with none. */
const counts = [4, 2, 1, 0, 3];

describe("embeddings of fields", () => {
  it("of one id each are what was gathered: the very same tensor", () => {
    const gathered = {} as Tensor2D;
    for (const plain of [undefined, [{ kind: "ID" }, { kind: "ID" }] as const]) {
      const { params, features } = fieldEmbeddings({ embeddingDim: 3, ...(plain ? { layouts: plain } : {}) });
      expect(params).toEqual({});
      expect(features({}, { gathered })).toBe(gathered);
    }
  });

  it("are those of an obvious loop, eagerly and compiled, to 1e-6", async () => {
    const made = madeInputs(counts);
    const expected = reference(made);
    for (const engine of ["cpu", "compiled"] as const) {
      const { features } = await run(engine, made);
      expect(features).toHaveLength(expected.length);
      for (const [i, x] of expected.entries()) expect(Math.abs(features![i]! - x), `${engine} ${i}`).toBeLessThan(1e-6);
    }
  });

  it("have the same gradients eagerly and compiled, those of loops by finite differences", async () => {
    const made = madeInputs(counts);
    const [eager, compiled] = [await run("cpu", made), await run("compiled", made)];
    for (const [name, values] of Object.entries(eager))
      for (const [i, x] of values.entries()) expect(Math.abs(compiled[name]![i]! - x), name).toBeLessThan(1e-5);
    const loss = (): number => reference(made).reduce((sum, x) => sum + x * x, 0);
    for (const name of ["gathered", "p/3.attention", "p/7.projection.kernel"] as const) {
      const values = made.arrays[name as keyof typeof made.arrays];
      for (let i = 0; i < values.length; i += 5) {
        const [before, step] = [values[i]!, 2 ** -8];
        values[i] = before + step;
        const above = loss();
        values[i] = before - step;
        const slope = (above - loss()) / (2 * step);
        values[i] = before;
        expect(Math.abs(eager[`d ${name}`]![i]! - slope), `${name} ${i}`).toBeLessThan(
          2e-3 * Math.max(1, Math.abs(slope)),
        );
      }
    }
  });

  it("do not depend on padding, which gets a gradient of exactly zero; a row without values has zeros", async () => {
    const made = madeInputs(counts);
    const { features, "d gathered": gradient } = await run("compiled", made);
    const isPadding = (i: number): boolean => made.ids[Math.floor(i / e)] === padding;
    const other = {
      ...made,
      arrays: { ...made.arrays, gathered: made.arrays.gathered.map((x, i) => (isPadding(i) ? 50 : x)) },
    };
    expect((await run("compiled", other))["features"]).toEqual(features);
    for (const [i, x] of gradient!.entries()) if (isPadding(i)) expect(Math.abs(x)).toBe(0);
    const empty = counts.indexOf(0) * layouts.length * e;
    for (const field of [0, 3])
      expect([...features!.subarray(empty + field * e, empty + (field + 1) * e)].map(Math.abs)).toEqual([0, 0, 0]);
  });

  it("begin with attention to what equals the target: W is the identity", () => {
    const { params } = fieldEmbeddings(sizes);
    expect(params["3.attention"]).toEqual({ shape: [e, e], init: { kind: "constant", value: 0 } });
    expect(Object.keys(params)).toEqual(["3.attention", "7.projection.kernel", "7.projection.bias"]);
  });

  it("need a field with ids", () => {
    expect(() => fieldEmbeddings({ embeddingDim: 3, layouts: [{ kind: "VECTOR", width: 4 }] })).toThrow(
      "model: expected at least one field with ids, got VECTOR fields alone",
    );
  });
});

describe("the slots of a row", () => {
  it("tell padding from ids, in arrays and in graphs alike", async () => {
    const { ids, slots, arrays } = madeInputs(counts);
    const program = await (
      await createEngine("compiled")
    ).compile(({ ids: given }) => ({ present: slots.present(given as Tensor2D)! }), {
      ids: { shape: ["batch", slots.ids], dtype: "int32" },
    });
    expect((await program.run({ ids }))["present"]).toEqual(arrays.present);
    await program.release();
    expect([...arrays.present.subarray(0, 14)]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0]);
  });
});
