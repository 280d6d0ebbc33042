/** From what a cell says to the values that count: MULTI_VALUED and SEQUENCE fields. The same at import and at prediction. */

export interface ListField {
  readonly kind: "MULTI_VALUED" | "SEQUENCE";
  readonly maximumLength: number;
}

/** Most values of a row that may count. */
export const longestList = 1000;

/** Of the values as they stand those that count, at most `maximumLength`; empty ones never do. */
export function countedValues({ kind, maximumLength }: ListField, values: readonly string[]): readonly string[] {
  const present = values.filter((value) => value !== "");
  switch (kind) {
    case "MULTI_VALUED":
      // A set is in the order in which its members came.
      return [...new Set(present)].slice(0, maximumLength);
    case "SEQUENCE":
      return present.slice(-maximumLength);
    default:
      return kind satisfies never;
  }
}
