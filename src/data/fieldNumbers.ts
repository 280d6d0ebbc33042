/** From what a cell says to the numbers a row holds: VALUE and VECTOR fields. The same at import and at prediction. */
import { parseNumber } from "./bucketing.ts";
import type { NumberScale } from "./spec.ts";

/** Standard deviations from the mean; a number further away counts as this far. */
export const mostDeviations = 8;
/** Numbers in one VECTOR. */
export const widestVector = 1024;

/** On the scale whose mean and standard deviation are fitted. */
export function scaled(scale: NumberScale, value: number): number {
  return scale === "LOG" ? Math.sign(value) * Math.log1p(Math.abs(value)) : value;
}

/** The other way. */
export function unscaled(scale: NumberScale, value: number): number {
  return scale === "LOG" ? Math.sign(value) * Math.expm1(Math.abs(value)) : value;
}

/** (scaled value - mean) / std, within ±8. */
export function standardised(
  { scale, mean, std }: { readonly scale: NumberScale; readonly mean: number; readonly std: number },
  value: number,
): number {
  return Math.max(-mostDeviations, Math.min(mostDeviations, (scaled(scale, value) - mean) / std));
}

/** What a VECTOR has to be, for an error. */
export function vectorExpected({ width, separator }: { readonly width: number; readonly separator: string }): string {
  return `${width} numbers separated by ${JSON.stringify(separator)}`;
}

/**
 * The numbers of a text, `0.5;-1` or `[0.5, -1]`, with spaces around them or not; NaN for one that is none, or that a float32
 * is too small for.
 */
export function vectorOf(text: string, separator: string): number[] {
  return piecesOf(text, separator).map((piece) => {
    const number = parseNumber(piece) ?? NaN;
    return isFloat(number) ? number : NaN;
  });
}

/** What stands where a number is expected. */
export function piecesOf(text: string, separator: string): string[] {
  const isList = text.startsWith("[") && text.endsWith("]");
  const pieces = isList ? text.slice(1, -1).split(",") : text.split(separator);
  return pieces.map((piece) => piece.replace(/^ +| +$/g, ""));
}

/** Whether it is a number and, rounded to a float32, still finite. */
export function isFloat(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(Math.fround(value));
}
