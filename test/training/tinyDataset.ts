/** A small made dataset with a law that can be learnt: what the training tests run on. */
import type { DatasetShape, Split, SplitRows } from "../../src/data/spec.ts";
import { createRandom } from "../../src/random.ts";

export const tinyShape: DatasetShape = {
  fields: 3,
  ids: 33,
  unknownIds: [30, 31, 32],
  scenarios: ["home", "search"],
  tasks: ["click", "like"],
};

/** Labels follow latent effects of the ids, differently per scenario and task. */
export function tinyRows({ rows, seed = 1 }: { readonly rows: number; readonly seed?: number }): SplitRows {
  const effects = createRandom(99, "effects");
  const effect = Array.from({ length: 30 * 4 }, () => effects.normal());
  const random = createRandom(seed, "tiny rows");
  const ids = new Int32Array(rows * 3);
  const scenario = new Int32Array(rows);
  const labels = new Float32Array(rows * 2);
  for (let row = 0; row < rows; row++) {
    const k = random.bits() % 2;
    scenario[row] = k;
    ids.set([random.bits() % 10, 10 + (random.bits() % 18), 28 + k], row * 3);
    for (const m of [0, 1]) {
      const [a, b] = [ids[row * 3]!, ids[row * 3 + 1]!];
      const score = effect[a * 4 + m]! + effect[b * 4 + m]! + (k === 1 ? effect[a * 4 + 2 + m]! : 0);
      labels[row * 2 + m] = Number(random.uniform() < 1 / (1 + Math.exp(-2 * score)));
    }
  }
  return { rows, ids, scenario, labels, numbers: new Float32Array(0) };
}

export function tinySplits(): Readonly<Record<Split, SplitRows>> {
  return {
    train: tinyRows({ rows: 2000, seed: 1 }),
    validation: tinyRows({ rows: 300, seed: 2 }),
    test: tinyRows({ rows: 300, seed: 3 }),
  };
}
