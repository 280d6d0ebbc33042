/** Small matrices in double precision: what folding multiplies out ahead is rounded once, at the end. */
import type { NamedArray } from "../checkpoint.ts";

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Row-major. */
  readonly values: Float64Array;
}

export function filledMatrix(rows: number, columns: number, of: (row: number, column: number) => number): Matrix {
  const values = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) values[i * columns + j] = of(i, j);
  return { rows, columns, values };
}

export const zeroMatrix = (rows: number, columns: number): Matrix => ({
  rows,
  columns,
  values: new Float64Array(rows * columns),
});

/** One row of numbers [1, columns]. */
export const rowOf = (numbers: ArrayLike<number>): Matrix => ({
  rows: 1,
  columns: numbers.length,
  values: Float64Array.from(numbers),
});

/** A vector as one row, a matrix as it is, of a stack of matrices one of them. */
export function matrixFrom({ shape, values }: NamedArray, index = 0): Matrix {
  const columns = shape.at(-1)!;
  const rows = shape.length === 1 ? 1 : shape.at(-2)!;
  const start = index * rows * columns;
  return { rows, columns, values: Float64Array.from(values.subarray(start, start + rows * columns)) };
}

export function product(a: Matrix, b: Matrix): Matrix {
  if (a.columns !== b.rows)
    throw new Error(`product: [${a.rows}, ${a.columns}] x [${b.rows}, ${b.columns}]: inner sizes differ`);
  const out = zeroMatrix(a.rows, b.columns);
  for (let i = 0; i < a.rows; i++)
    for (let k = 0; k < a.columns; k++) {
      const x = a.values[i * a.columns + k]!;
      if (x === 0) continue;
      for (let j = 0; j < b.columns; j++) out.values[i * b.columns + j]! += x * b.values[k * b.columns + j]!;
    }
  return out;
}

/** a + factor·b */
export function sum(a: Matrix, b: Matrix, factor = 1): Matrix {
  return { ...a, values: a.values.map((x, i) => x + factor * b.values[i]!) };
}

export function scaled(a: Matrix, factor: number): Matrix {
  return { ...a, values: a.values.map((x) => x * factor) };
}

/** Column j times factors[j]. */
export function columnsScaled(a: Matrix, factors: Float64Array): Matrix {
  return { ...a, values: a.values.map((x, i) => x * factors[i % a.columns]!) };
}

export function sideBySide(parts: readonly Matrix[]): Matrix {
  const columns = parts.reduce((width, part) => width + part.columns, 0);
  const out = zeroMatrix(parts[0]!.rows, columns);
  let at = 0;
  for (const part of parts) {
    for (let i = 0; i < part.rows; i++)
      out.values.set(part.values.subarray(i * part.columns, (i + 1) * part.columns), i * columns + at);
    at += part.columns;
  }
  return out;
}

export function stacked(parts: readonly Matrix[]): Matrix {
  const rows = parts.reduce((height, part) => height + part.rows, 0);
  const out = zeroMatrix(rows, parts[0]!.columns);
  let at = 0;
  for (const { values } of parts) {
    out.values.set(values, at);
    at += values.length;
  }
  return out;
}
