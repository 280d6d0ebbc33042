/** Backbones made comparable: each in the shape of its defaults, with all widths stretched until it is as large as wanted. */
import type { BackbonePlugin } from "../src/plugin/contract.ts";

/** Members that are lists of numbers are widths of layers, in every plugin. Narrower ones are left as they are. */
const narrowest = 16;

/**
 * The configuration whose `sizeOf` is nearest to `size`: the defaults with every width multiplied by one factor. `sizeOf`
 * grows with the widths.
 */
export function configOfSize(plugin: BackbonePlugin, size: number, sizeOf: (config: unknown) => number): unknown {
  const defaults = plugin.config.parse({});
  const at = (factor: number): unknown => plugin.config.parse(stretched(defaults, factor));
  let [low, high] = [1 / 64, 16];
  for (let i = 0; i < 12; i++) {
    const middle = Math.sqrt(low * high);
    if (sizeOf(at(middle)) < size) low = middle;
    else high = middle;
  }
  const off = (factor: number): number => Math.abs(sizeOf(at(factor)) - size);
  return at(off(low) < off(high) ? low : high);
}

function stretched(value: unknown, factor: number): unknown {
  if (Array.isArray(value)) return value.map((item) => stretchedWidth(item, factor));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, stretched(member, factor)]));
}

/** Multiples of 4, as they are for a width in use. */
function stretchedWidth(item: unknown, factor: number): unknown {
  if (typeof item !== "number") return stretched(item, factor);
  return item < narrowest ? item : Math.max(4, 4 * Math.round((item * factor) / 4));
}
