/** GAUC: the AUC within groups of rows, usually users (Zhou et al., "Deep interest network", KDD 2018). */
import { assignBlocks, percentileInterval, resampledTotals } from "./bootstrap.ts";
import { measured, type Measurement, missing, noInterval } from "./measurement.ts";
import type { Ascending } from "./order.ts";

/** What is kept of a group while the rows go by in ascending order of scores: counts [groups, 5]. */
const at = { positives: 0, negatives: 1, run: 2, tiedPositives: 3, tiedNegatives: 4 } as const;
const width = 5;

/**
 * Mean of the groups' AUCs weighted by their rows, over groups with rows of both classes; `groups` says how many those
 * are. `groups` of the input is the group of each row [rows], a number from 0; memory goes with the largest of them.
 * The interval resamples whole groups, and needs two. There is at least one row.
 */
export function groupedAuc(ascending: Ascending, labels: Float32Array, groups: Int32Array): Measurement {
  const { aucs, rows } = groupAucs(ascending, labels, groups);
  const counted = aucs.length;
  if (counted === 0) return { ...missing("gauc", "NO_GROUPS"), groups: 0 };
  const { blocks, blockOf } = assignBlocks(counted);
  const sums = new Float64Array(blocks * 2); // per block: Σ rows · AUC, Σ rows
  const totals = new Float64Array(2);
  for (let group = 0; group < counted; group++) {
    const weighted = rows[group]! * aucs[group]!;
    sums[2 * blockOf[group]!]! += weighted;
    sums[2 * blockOf[group]! + 1]! += rows[group]!;
    totals[0]! += weighted;
    totals[1]! += rows[group]!;
  }
  const ratio = ([weighted, all]: Float64Array): number | null => (all === 0 ? null : weighted! / all!);
  const interval = blocks < 2 ? noInterval : percentileInterval(resampledTotals(sums, 2).map(ratio));
  return { ...measured("gauc", totals[0]! / totals[1]!, interval), groups: counted };
}

/** AUC and rows of every group that has both classes [counted], ties counting half. */
function groupAucs(
  { order, keys }: Ascending,
  labels: Float32Array,
  groups: Int32Array,
): { readonly aucs: number[]; readonly rows: number[] } {
  const all = groups.reduce((largest, group) => Math.max(largest, group), -1) + 1;
  const counts = new Uint32Array(all * width);
  const halves = new Float64Array(all); // twice the pairs won
  const closeRun = (group: number): void => {
    const from = group * width;
    const [positives, negatives] = [counts[from + at.tiedPositives]!, counts[from + at.tiedNegatives]!];
    halves[group]! += positives * (2 * counts[from + at.negatives]! + negatives);
    counts[from + at.positives]! += positives;
    counts[from + at.negatives]! += negatives;
    counts[from + at.tiedPositives] = 0;
    counts[from + at.tiedNegatives] = 0;
  };
  let run = 0; // of rows with equal scores
  for (let i = 0; i < order.length; i++) {
    if (i > 0 && keys[i] !== keys[i - 1]) run++;
    const row = order[i]!;
    const group = groups[row]!;
    const from = group * width;
    if (counts[from + at.run] !== run) {
      closeRun(group);
      counts[from + at.run] = run;
    }
    counts[from + (labels[row] === 1 ? at.tiedPositives : at.tiedNegatives)]!++;
  }

  const [aucs, rows]: [number[], number[]] = [[], []];
  for (let group = 0; group < all; group++) {
    closeRun(group);
    const [positives, negatives] = [counts[group * width + at.positives]!, counts[group * width + at.negatives]!];
    if (positives === 0 || negatives === 0) continue;
    aucs.push(halves[group]! / (2 * positives * negatives));
    rows.push(positives + negatives);
  }
  return { aucs, rows };
}
