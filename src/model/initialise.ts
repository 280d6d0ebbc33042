/** First values of parameters and buffers from a seed. Every name draws from a stream of its own. */
import type { BufferSpecs, ParamSpec, ParamSpecs } from "../plugin/contract.ts";
import { createRandom, type Random } from "../random.ts";
import type { NamedArray } from "./checkpoint.ts";

export function initialise(specs: ParamSpecs, seed: number): Record<string, NamedArray> {
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, draw(spec, createRandom(seed, name))]));
}

export function initialiseBuffers(specs: BufferSpecs): Record<string, NamedArray> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, { shape, value }]) => [name, { shape, values: filled(shape, () => value) }]),
  );
}

function draw({ shape, init }: ParamSpec, random: Random): NamedArray {
  switch (init.kind) {
    case "constant":
      return { shape, values: filled(shape, () => init.value) };
    case "uniform":
      return { shape, values: filled(shape, () => (2 * random.uniform() - 1) * init.limit) };
    case "normal":
      return { shape, values: filled(shape, () => random.normal() * init.std) };
    default:
      throw new Error(`initialise: ${init satisfies never}`);
  }
}

function filled(shape: readonly number[], next: () => number): Float32Array {
  return new Float32Array(shape.reduce((a, b) => a * b, 1)).map(next);
}
