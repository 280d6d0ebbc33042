/** A statement takes 999 parameters at most. */

/** The list in pieces of at most `size`; none of an empty list. */
export function inChunks<Item>(items: readonly Item[], size = 500): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
