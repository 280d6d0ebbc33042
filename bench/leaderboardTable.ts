/** The leaderboard's verdicts and its page. */
import { rowsByScenario, gathered } from "../src/training/evaluate.ts";
import { compareCell } from "../src/metrics/compare.ts";
import type { HeadName } from "./leaderboardModels.ts";
import { mean } from "./options.ts";
import type { Dataset } from "./searchAndPrune.ts";

/** One backbone under one head, trained with several seeds. */
export interface Entry {
  readonly backbone: string;
  readonly head: HeadName;
  readonly config: unknown;
  /** Without the embedding table. */
  readonly parameters: number;
  readonly learningRate: number;
  /** Mean test AUC over the cells, of every seed. */
  readonly aucs: readonly number[];
  /** Test probabilities [rows · tasks] of every seed, as bytes in base64. */
  readonly predictions: readonly string[];
}

export interface Place extends Omit<Entry, "predictions"> {
  /** Of a training step. */
  readonly samplesPerSecond: number;
  readonly auc: number;
  /** Standard deviation between seeds. */
  readonly deviation: number;
  /** Cells in which it is better than shared-bottom with towers, worse, or within noise; null for that one itself. */
  readonly verdicts: { readonly better: number; readonly worse: number; readonly withinNoise: number } | null;
}

const isBaseline = ({ backbone, head }: Pick<Entry, "backbone" | "head">): boolean =>
  backbone === "shared-bottom" && head === "towers";

/** By their mean AUC, the best first. */
export function placesOf(entries: readonly Entry[], samplesPerSecond: readonly number[], dataset: Dataset): Place[] {
  const baseline = entries.find(isBaseline);
  return entries
    .map(({ predictions, ...entry }, i): Place => {
      const auc = mean(entry.aucs);
      const squares = entry.aucs.reduce((sum, value) => sum + (value - auc) ** 2, 0);
      const deviation = Math.sqrt(squares / Math.max(1, entry.aucs.length - 1));
      const verdicts = baseline && !isBaseline(entry) ? verdictsOf(baseline.predictions, predictions, dataset) : null;
      return { ...entry, samplesPerSecond: samplesPerSecond[i]!, auc, deviation, verdicts };
    })
    .sort((a, b) => b.auc - a.auc);
}

/** By AUC, paired row by row, cell by cell; all verdicts of an entry together hold with 95 %. */
function verdictsOf(
  baseline: readonly string[],
  candidate: readonly string[],
  { shape, rows: { test } }: Dataset,
): Place["verdicts"] {
  const [scenarios, tasks] = [shape.scenarios.length, shape.tasks.length];
  const sides = [baseline, candidate].map((side) => side.map(numbersOf));
  const verdicts = rowsByScenario(test, scenarios).flatMap((own) =>
    shape.tasks.map((_, task) => {
      const of = (values: Float32Array): Float32Array =>
        gathered(values, own, new Float32Array(own.length), tasks, task);
      const [auc] = compareCell({
        labels: of(test.labels),
        baseline: sides[0]!.map(of),
        candidate: sides[1]!.map(of),
        seedSpread: { auc: null, logloss: null },
        cells: scenarios * tasks,
      });
      return auc!.verdict;
    }),
  );
  const count = (verdict: string): number => verdicts.filter((of) => of === verdict).length;
  return { better: count("BETTER"), worse: count("WORSE"), withinNoise: count("WITHIN_NOISE") };
}

function numbersOf(base64: string): Float32Array {
  const bytes = Buffer.from(base64, "base64");
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

interface Setting {
  readonly seeds: readonly number[];
  readonly rates: readonly number[];
  readonly size: number;
}

const titles: Readonly<Record<string, string>> = {
  synth: "Made data (synth)",
  kuairand: "Real data (part of KuaiRand-Pure)",
};

/** The page in docs. */
export function leaderboardPage(
  places: Readonly<Record<string, readonly Place[]>>,
  { seeds, rates, size }: Setting,
): string {
  const sections = Object.entries(places).map(
    ([data, entries]) => `## ${titles[data] ?? data}\n\n${tableOf(entries)}\n`,
  );
  return `# Leaderboard

Every backbone under both heads, with equal budgets: about ${size.toLocaleString("en")} parameters of its own (its default shape with
all widths stretched by one factor), at most 20 passes over the training rows with the same early stopping, and the learning
rate chosen from ${rates.join(", ")} on the validation split with seed ${seeds[0]}; then seeds ${seeds.join(", ")} with that rate. All else is the
RECOMMENDED preset, on the real data with the settings of the demo.

- _AUC_: mean over the cells of the test split, mean ± standard deviation over the seeds.
- _against shared-bottom_: in how many cells it is better (+), worse (−) or within noise (=) than shared-bottom with towers, by the
  product's own comparison: paired row by row, with the spread between seeds, all cells of a line together at 95 %.
- _parameters_: without the embedding table. _samples/s_: of a training step alone, on two cores; with \`autoifs\` of a step of the search.

\`\`\`sh
npm run bench -- leaderboard --keep leaderboard-results --write docs/leaderboard.md
\`\`\`

${sections.join("\n")}`;
}

function tableOf(entries: readonly Place[]): string {
  const rows = entries.map((entry) => {
    const { verdicts } = entry;
    return [
      `[${entry.backbone}](../plugins/${entry.backbone}/README.md)`,
      entry.head,
      `${entry.auc.toFixed(4)} ± ${entry.deviation.toFixed(4)}`,
      verdicts ? `+${verdicts.better} −${verdicts.worse} =${verdicts.withinNoise}` : "",
      entry.parameters.toLocaleString("en"),
      entry.samplesPerSecond.toLocaleString("en"),
      String(entry.learningRate),
    ];
  });
  const header = ["backbone", "head", "AUC", "against shared-bottom", "parameters", "samples/s", "rate"];
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [line(header), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)].join("\n");
}
