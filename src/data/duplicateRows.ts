/** Leakage check: rows of validation and test that training has already seen. */
import type { JS } from "@duckdb/node-api";
import { counted, percent } from "./leakageWarning.ts";
import type { LeakageInput, LeakageWarning } from "./leakageWarning.ts";
import type { Split } from "./spec.ts";

/** Fewer duplicates are not worth a word. */
const fewestRows = 10;
const smallestShare = 0.001;
/** How much more of a split must be duplicated than of training. */
const excess = 1.5;
/** Duplicates are copies when of at least so many pairs so many agree in their labels. */
const fewestPairs = 20;
const agreement = 0.95;

/** Rows compared at most, give or take. */
const mostRows = 500_000;
const linesShown = 5;

/** What was counted of validation or test. */
interface Twins {
  readonly split: Split;
  readonly rows: number;
  /** Rows with a training row that is the same in fields, scenario and labels. */
  readonly same: number;
  /** Rows with a training row that is the same in fields and scenario. */
  readonly sameFields: number;
  /** Rows with exactly one such training row, and labels that are not the most common ones. */
  readonly pairs: number;
  /** Pairs of the same labels. */
  readonly samePairs: number;
}

/**
 * DUPLICATE_ROWS: rows of validation (or test) that are the same as a training row in all fields, the scenario and the
 * labels, as text. Few categories make such rows by chance, so a split is reported only if it has at least 10 of them,
 * they are at least 0.1 % of it, and one of the two:
 * - their share is above 1.5 times the share of training rows with a twin inside training, and three standard errors
 *   more: that share is what chance gives a split drawn from the same rows; or
 * - they are copies: of at least 20 rows with exactly one training row of the same fields, and other labels than the
 *   most common ones, 95 % have the labels of that row too. Labels that do not depend on the fields would agree in half
 *   of them at most. This finds a file in which rows were repeated before it was split at random, where training has as
 *   many twins.
 *
 * Rows are compared by a 64-bit hash of their texts. Of more than 750,000 rows about 500,000 are taken, those whose hash
 * is a multiple of a number, so that either all twins of a row are in the sample or none; `rows` counts these. Evidence:
 * `lines` (rows, in Parquet) of up to 5 and `sameAs`, their first twins in training; `trainingShare`;
 * `sameFieldsOtherLabels` rows; `sampledRows` in all.
 */
export async function duplicateRows(input: LeakageInput): Promise<LeakageWarning[]> {
  const { database, source } = input;
  const step = Math.max(1, Math.round(source.rows / mostRows));
  const hashed = hashedRows(input, step);
  try {
    await database.run(
      `CREATE OR REPLACE TEMP TABLE twins AS SELECT hash, labels, count(*) FILTER (split = 0) AS train,
         count(*) FILTER (split = 1) AS validation, count(*) FILTER (split = 2) AS test
       FROM (${hashed}) GROUP BY hash, labels`,
    );
    const [totals] = await database.rows(
      `SELECT ${["train", "validation", "test"].map((split) => `sum(${split}) AS ${split}`).join(", ")},
         sum(train) FILTER (train > 1) AS train_same, sum(validation) FILTER (train > 0) AS validation_same,
         sum(test) FILTER (train > 0) AS test_same FROM twins`,
    );
    const number = (name: string): number => Number(totals![name] ?? 0);
    const trainingShare = number("train") === 0 ? 0 : number("train_same") / number("train");
    const enough = (["validation", "test"] as const).filter((split) => {
      const same = number(`${split}_same`);
      return same >= fewestRows && same >= smallestShare * number(split);
    });
    const warnings: LeakageWarning[] = [];
    for (const split of enough) {
      const twins = { split, rows: number(split), same: number(`${split}_same`), ...(await pairsOf(input, split)) };
      const cause = suspicion(twins, trainingShare);
      if (cause === undefined) continue;
      const lines = await exampleLines(input, split, hashed);
      warnings.push(
        warning(twins, cause, step > 1, {
          ...lines,
          trainingShare,
          sameFieldsOtherLabels: twins.sameFields - twins.same,
          sampledRows: number("train") + number("validation") + number("test"),
        }),
      );
    }
    return warnings;
  } finally {
    await database.run("DROP TABLE IF EXISTS twins");
  }
}

/** SQL for (row, split, hash, labels): the hash of fields and scenario, and that of the labels. */
function hashedRows({ source, spec }: LeakageInput, step: number): string {
  const inputs = [...new Set([...spec.fields, spec.scenario].map(({ column }) => source.column(column)))];
  const labels = spec.labels.map(({ column }) => source.column(column)).join(", ");
  const all = `SELECT row, split, hash(${inputs.join(", ")}) AS hash, hash(${labels}) AS labels FROM rows`;
  return step === 1 ? all : `SELECT * FROM (${all}) WHERE hash % ${step} = 0`;
}

async function pairsOf(
  { database }: LeakageInput,
  split: Split,
): Promise<Pick<Twins, "sameFields" | "pairs" | "samePairs">> {
  const [found] = await database.rows(
    `WITH common AS (SELECT labels FROM twins GROUP BY labels ORDER BY sum(train) DESC, labels LIMIT 1),
       held AS (SELECT hash, labels, ${split} AS rows FROM twins WHERE ${split} > 0),
       seen AS (SELECT hash, sum(train) AS rows, arg_max(labels, train) AS labels
         FROM twins SEMI JOIN held USING (hash) GROUP BY hash HAVING sum(train) > 0),
       pairs AS (SELECT held.rows, seen.rows = 1 AND held.labels <> (SELECT labels FROM common) AS single,
         held.labels = seen.labels AS same FROM held JOIN seen USING (hash))
     SELECT sum(rows) AS sameFields, sum(rows) FILTER (single) AS pairs, sum(rows) FILTER (single AND same) AS samePairs
       FROM pairs`,
  );
  const number = (value: JS | undefined): number => Number(value ?? 0);
  return {
    sameFields: number(found!["sameFields"]),
    pairs: number(found!["pairs"]),
    samePairs: number(found!["samePairs"]),
  };
}

/** Undefined where chance explains the twins. */
function suspicion({ rows, same, pairs, samePairs }: Twins, trainingShare: number): "EXCESS" | "COPIES" | undefined {
  const error = Math.sqrt((trainingShare * (1 - trainingShare)) / rows);
  if (same / rows > excess * trainingShare + 3 * error) return "EXCESS";
  return pairs >= fewestPairs && samePairs >= agreement * pairs ? "COPIES" : undefined;
}

async function exampleLines(
  { database, source }: LeakageInput,
  split: Split,
  hashed: string,
): Promise<{ lines: number[]; sameAs: number[] }> {
  const index = split === "validation" ? 1 : 2;
  const found = await database.rows(
    `WITH first AS (SELECT row, hash, labels FROM (${hashed}) SEMI JOIN (SELECT hash, labels FROM twins WHERE train > 0)
         USING (hash, labels) WHERE split = ${index} ORDER BY row LIMIT ${linesShown})
     SELECT first.row AS row, min(other.row) AS twin FROM first JOIN (${hashed}) AS other USING (hash, labels)
       WHERE other.split = 0 GROUP BY first.row ORDER BY first.row`,
  );
  const rows = found.map((row) => Number(row["row"]));
  const lines = await source.linesOf([...rows, ...found.map((row) => Number(row["twin"]))]);
  return { lines: lines.slice(0, rows.length), sameAs: lines.slice(rows.length) };
}

function warning(
  { split, rows, same, pairs, samePairs }: Twins,
  cause: "EXCESS" | "COPIES",
  sampled: boolean,
  evidence: { readonly trainingShare: number } & Readonly<Record<string, unknown>>,
): LeakageWarning {
  const because =
    cause === "EXCESS"
      ? `inside training ${percent(evidence.trainingShare)} of the rows have such a twin`
      : `they are copies rather than chance: of ${counted(pairs)} pairs with the same fields ${counted(samePairs)} agree ` +
        `in their labels`;
  return {
    kind: "DUPLICATE_ROWS",
    message:
      `${counted(same)} of ${counted(rows)} ${sampled ? "sampled " : ""}${split} rows (${percent(same / rows)}) are the ` +
      `same as a training row in all fields, the scenario and the labels; ${because}.`,
    column: null,
    task: null,
    split,
    rows: same,
    share: same / rows,
    evidence,
  };
}
