/** What a row holds for each field, and where: whole numbers (ids of an embedding table) and plain numbers. */

export type FieldLayout =
  /** One id. */
  | { readonly kind: "ID" }
  /** One id, of a number that is there or of a missing one, and the number that its embedding is multiplied with. */
  | { readonly kind: "VALUE" }
  /**
   * `length` ids whose embeddings are pooled; those behind the last value are `padding`, an id nothing else has. They are
   * averaged, or with `attendsTo` weighed by how well they fit the embedding of that field, an ID.
   */
  | { readonly kind: "POOLED"; readonly length: number; readonly padding: number; readonly attendsTo?: number }
  /** `width` numbers, no id: a vector that was made elsewhere. */
  | { readonly kind: "VECTOR"; readonly width: number };

/** Where the ids and numbers of a field begin in a row, and how many there are. */
export interface FieldPlace {
  readonly layout: FieldLayout;
  readonly firstId: number;
  readonly ids: number;
  readonly firstNumber: number;
  readonly numbers: number;
}

/** One for every field, in order. */
export function fieldPlaces(layouts: readonly FieldLayout[]): FieldPlace[] {
  let [firstId, firstNumber] = [0, 0];
  return layouts.map((layout) => {
    const [ids, numbers] = sizesOf(layout);
    const place = { layout, firstId, ids, firstNumber, numbers };
    firstId += ids;
    firstNumber += numbers;
    return place;
  });
}

/** How many ids a row has. */
export function idsPerRow(layouts: readonly FieldLayout[]): number {
  return layouts.reduce((sum, layout) => sum + sizesOf(layout)[0], 0);
}

/** How many numbers a row has. */
export function numbersPerRow(layouts: readonly FieldLayout[]): number {
  return layouts.reduce((sum, layout) => sum + sizesOf(layout)[1], 0);
}

function sizesOf(layout: FieldLayout): readonly [ids: number, numbers: number] {
  switch (layout.kind) {
    case "ID":
      return [1, 0];
    case "VALUE":
      return [1, 1];
    case "POOLED":
      return [layout.length, 0];
    case "VECTOR":
      return [0, layout.width];
    default:
      return layout satisfies never;
  }
}
