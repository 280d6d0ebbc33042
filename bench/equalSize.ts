/** Backbones made comparable: each in the shape of its defaults, with all widths stretched until it is as large as wanted. */
import type { BackbonePlugin } from "../src/plugin/contract.ts";

/** Lists of numbers are widths of layers in every plugin, and so are members that end in "Width". Narrower ones stay as they are. */
const narrowest = 16;

interface WantedSize {
  readonly size: number;
  /** Grows with the widths. */
  readonly sizeOf: (config: unknown) => number;
  /** Widths are multiples of this. */
  readonly unit: number;
}

/** The configuration whose `sizeOf` is nearest to `size`: the defaults with every width multiplied by one factor. */
export function configOfSize(plugin: BackbonePlugin, { size, sizeOf, unit }: WantedSize): unknown {
  const defaults = plugin.config.parse({});
  const at = (factor: number): unknown => plugin.config.parse(stretched(defaults, factor, unit));
  let [low, high] = [1 / 64, 16];
  for (let i = 0; i < 12; i++) {
    const middle = Math.sqrt(low * high);
    if (sizeOf(at(middle)) < size) low = middle;
    else high = middle;
  }
  const off = (factor: number): number => Math.abs(sizeOf(at(factor)) - size);
  return at(off(low) < off(high) ? low : high);
}

function stretched(value: unknown, factor: number, unit: number): unknown {
  if (Array.isArray(value)) {
    return value.map((item) =>
      typeof item === "number" ? stretchedWidth(item, factor, unit) : stretched(item, factor, unit),
    );
  }
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [
    name,
    typeof member === "number" && name.endsWith("Width")
      ? stretchedWidth(member, factor, unit)
      : stretched(member, factor, unit),
  ]);
  return Object.fromEntries(members);
}

function stretchedWidth(width: number, factor: number, unit: number): number {
  return width < narrowest ? width : Math.max(unit, unit * Math.round((width * factor) / unit));
}
