/** A small made dataset with a field of every kind, of which one alone has to do with each task. */
import type { DatasetShape, Split, SplitRows } from "../../src/data/spec.ts";
import { type FieldLayout, idsPerRow, numbersPerRow } from "../../src/fieldLayout.ts";
import { createRandom } from "../../src/random.ts";

/** What decides over a label. */
export type Signal = "VALUE" | "TAGS" | "HISTORY" | "VECTOR";

/** Ids 0-9 scenario and noise, 10-21 items with unknown 22 and the padding of histories 23, 24-33 tags, 36-37 the number. */
const [firstItem, items, firstTag, tags] = [10, 12, 24, 10];
const layouts: readonly FieldLayout[] = [
  { kind: "ID" },
  { kind: "POOLED", length: 4, padding: 35 },
  { kind: "POOLED", length: 6, padding: 23, attendsTo: 3 },
  { kind: "ID" },
  { kind: "VALUE" },
  { kind: "VECTOR", width: 4 },
];

export const mixedShape: DatasetShape = {
  fields: 6,
  columns: ["place", "tags", "history", "item", "price", "image"],
  layouts,
  ids: 38,
  unknownIds: [9, 34, 22, 22, -1, -1],
  scenarios: ["home", "search"],
  tasks: ["click", "like"],
};

/** The same with the mean of the history in place of attention. */
export const withoutAttention: DatasetShape = {
  ...mixedShape,
  layouts: layouts.map((layout) =>
    layout.kind === "POOLED" ? { ...layout, attendsTo: undefined } : layout,
  ) as FieldLayout[],
};

/** `signals`: of the tasks. */
export function mixedRows(
  signals: readonly Signal[],
  { rows, seed }: { readonly rows: number; readonly seed: number },
): SplitRows {
  const effects = createRandom(7, "effects of tags");
  const effectOfTag = Array.from({ length: tags }, () => effects.normal());
  const random = createRandom(seed, "mixed rows");
  const [ids, numbers] = [new Int32Array(rows * idsPerRow(layouts)), new Float32Array(rows * numbersPerRow(layouts))];
  const [scenario, labels] = [new Int32Array(rows), new Float32Array(rows * 2)];
  for (let row = 0; row < rows; row++) {
    const k = random.bits() % 2;
    scenario[row] = k;
    const several = (most: number, of: () => number): number[] =>
      Array.from({ length: random.bits() % (most + 1) }, of);
    const ownTags = several(4, () => random.bits() % tags);
    const item = random.bits() % items;
    const isSeen = random.bits() % 2 === 1;
    const others = several(5, () => (item + 1 + (random.bits() % (items - 1))) % items);
    const history = isSeen ? others.toSpliced(random.bits() % (others.length + 1), 0, item) : others;
    const price = random.normal();
    const image = Array.from({ length: 4 }, () => random.normal());
    const padded = (values: readonly number[], { length, padding }: { length: number; padding: number }) => [
      ...values,
      ...Array.from({ length: length - values.length }, () => padding),
    ];
    ids.set(
      [
        k * 5 + (random.bits() % 4),
        ...padded(
          ownTags.map((tag) => firstTag + tag),
          { length: 4, padding: 35 },
        ),
        ...padded(
          history.map((seen) => firstItem + seen),
          { length: 6, padding: 23 },
        ),
        firstItem + item,
        36,
      ],
      row * idsPerRow(layouts),
    );
    numbers.set([price, ...image], row * numbersPerRow(layouts));
    const scores = {
      VALUE: 3 * price,
      TAGS: (6 * ownTags.reduce((sum, tag) => sum + effectOfTag[tag]!, 0)) / Math.max(1, ownTags.length),
      HISTORY: isSeen ? 4 : -4,
      VECTOR: 2 * (image[0]! - image[1]! + image[3]!),
    };
    for (const [m, signal] of signals.entries())
      labels[row * 2 + m] = Number(random.uniform() < 1 / (1 + Math.exp(-scores[signal])));
  }
  return { rows, ids, numbers, scenario, labels };
}

export function mixedSplits(signals: readonly Signal[]): Readonly<Record<Split, SplitRows>> {
  return {
    train: mixedRows(signals, { rows: 3000, seed: 1 }),
    validation: mixedRows(signals, { rows: 400, seed: 2 }),
    test: mixedRows(signals, { rows: 400, seed: 3 }),
  };
}
