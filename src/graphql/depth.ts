/** How deep a value is nested, found without recursion: one that is too deep must not take the stack of whoever asks. */

/** True where more than `most` objects and lists stand inside each other. Of JSON. */
export function isDeeper(value: unknown, most: number): boolean {
  let level = [value].filter(isNest);
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === most) return true;
    level = level.flatMap((nest) => Object.values(nest).filter(isNest));
  }
  return false;
}

const isNest = (value: unknown): value is object => typeof value === "object" && value !== null;
