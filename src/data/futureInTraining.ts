/** Leakage check: with a time column, whether a split holds rows later than the first of those it must precede. */
import { counted, percent } from "./leakageWarning.ts";
import type { LeakageInput, LeakageWarning } from "./leakageWarning.ts";
import { splits } from "./spec.ts";
import type { Split } from "./spec.ts";
import { timeKindOf, timeSql } from "./time.ts";

/**
 * FUTURE_IN_TRAINING: training rows later than the first validation or test row (`split` is train), and validation rows
 * later than the first test row (validation); any number of them, rows of the same time do not count. Without a time
 * column nothing is checked. Evidence: `from` and `until` of each split, as the file writes them, and `later`, the time
 * that the rows are later than.
 */
export async function futureInTraining({ database, source, spec }: LeakageInput): Promise<LeakageWarning[]> {
  if (!spec.time) return [];
  const { column } = spec.time;
  const text = source.column(column);
  const kind = await timeKindOf(database, source, column);
  if (!kind) throw new Error(`futureInTraining: expected times in ${JSON.stringify(column)}`);
  const timed = `SELECT split, ${text} AS text, ${timeSql(kind, text)} AS time FROM rows`;
  const found = await database.rows(
    `SELECT split, count(*) AS rows, min(time) AS first, arg_min(text, time) AS from_text, arg_max(text, time) AS until_text
       FROM (${timed}) GROUP BY split ORDER BY split`,
  );
  const spans = found.map((row, index) => ({
    split: splits[index]!,
    rows: Number(row["rows"]),
    first: Number(row["first"]),
    from: String(row["from_text"]),
    until: String(row["until_text"]),
  }));
  const times = Object.fromEntries(spans.map(({ split, from, until }) => [split, { from, until }]));

  const warnings: LeakageWarning[] = [];
  for (const [index, what] of [
    [0, "validation or test row"],
    [1, "test row"],
  ] as const) {
    const { split, rows: all } = spans[index]!;
    const next = spans.slice(index + 1).reduce((a, b) => (b.first < a.first ? b : a));
    const [later] = await database.rows(
      `SELECT count(*) AS rows FROM (${timed}) WHERE split = ${index} AND time > ${next.first}`,
    );
    const rows = Number(later!["rows"]);
    if (rows === 0) continue;
    const name = split === "train" ? "training" : split;
    const reason = spec.split.kind === "RANDOM" ? ": the split is random, so the model is tested on its past" : "";
    warnings.push({
      kind: "FUTURE_IN_TRAINING",
      message:
        `${counted(rows)} of ${counted(all)} ${name} rows (${percent(rows / all)}) have a later ${JSON.stringify(column)} ` +
        `than the first ${what} (${next.from}), the last of them ${times[split]!.until}${reason}.`,
      column,
      task: null,
      split: split satisfies Split,
      rows,
      share: rows / all,
      evidence: { later: next.from, ...times },
    });
  }
  return warnings;
}
