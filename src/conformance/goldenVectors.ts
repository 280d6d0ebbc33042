/**
 * Vectors computed by an independent program in float64: a configuration, rows, and the expected output. The
 * parameters are not stored but given by a formula over their number (`code`), row i and column j.
 */
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import type { Params } from "../plugin/contract.ts";
import { checkEqual } from "./check.ts";
import { expectClose, type Tolerance } from "./expectClose.ts";
import { type Row, rowOutputs, type Trial } from "./trial.ts";

export interface Golden<Config, Expected> {
  readonly config: Config;
  /** Features [batch, inputDim] and, where it matters, the scenario of each row. */
  readonly inputs: { readonly x: readonly (readonly number[])[]; readonly s?: readonly number[] };
  readonly params: readonly {
    readonly code: number;
    readonly name: string;
    readonly kind: "matrix" | "vector" | "ones_matrix" | "ones_vector";
    readonly shape: readonly number[];
  }[];
  /** All values of the first parameter. */
  readonly check_first_param: readonly (readonly number[])[] | readonly number[];
  readonly expected: Expected;
}

export function readGolden<Config, Expected>(file: URL): Golden<Config, Expected> {
  return JSON.parse(readFileSync(file, "utf8")) as Golden<Config, Expected>;
}

/** `expert0.l1.W` of the vectors is `expert0.1.kernel` here. */
export function layerName(golden: string): string {
  return golden
    .replace(/\.l(\d+)\./, ".$1.")
    .replace(/\.W$/, ".kernel")
    .replace(/\.b$/, ".bias");
}

/** The parameters of a vector file under the names that `rename` gives; checked against the values the file shows. */
export function goldenParams(
  { params, check_first_param: first }: Golden<unknown, unknown>,
  rename: (golden: string) => string,
): Params {
  const tensors = params.map(({ code, kind, shape }) => {
    const isMatrix = kind.endsWith("matrix");
    const [rows, columns] = isMatrix ? [shape[0]!, shape[1]!] : [1, shape[0]!];
    const values = Array.from({ length: rows * columns }, (_, index) => {
      const [i, j] = [Math.floor(index / columns), index % columns];
      const value = isMatrix ? Math.sin(13 * code + 7 * i + 3 * j + 5 * i * j) : Math.cos(5 * code + 2 * j) / 8;
      return kind.startsWith("ones_") ? 1 + (isMatrix ? value / 2 : value) : value;
    });
    return tf.tensor(values, [...shape]);
  });
  const firstByFormula = Array.from(tensors[0]!.dataSync());
  expectClose([firstByFormula], [first.flat()], "first parameter by the formula", tolerance);
  return Object.fromEntries(params.map(({ name }, k) => [rename(name), tensors[k]!]));
}

/** Runs a trial with the vectors' parameters and rows and compares [task][batch][H] within 2e-6 + 1e-5·|expected|. */
export function expectGolden(
  trial: Trial,
  params: Params,
  { x, s }: Golden<unknown, unknown>["inputs"],
  expected: readonly (readonly (readonly number[])[])[],
): void {
  checkEqual(Object.keys(params).sort(), Object.keys(trial.params).sort(), "names of the parameters");
  const rows = x.map((features, b): Row => ({ features, scenario: s?.[b] ?? 0 }));
  const sideBySide = x.map((_, b) => expected.flatMap((task) => task[b]!));
  expectClose(rowOutputs({ ...trial, params }, rows), sideBySide, "representations", tolerance);
}

const tolerance: Tolerance = (expected) => 2e-6 + 1e-5 * Math.abs(expected);
