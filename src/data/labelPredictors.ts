/** Leakage check: fields that alone say what a label is. */
import type { JS } from "@duckdb/node-api";
import { encodedField } from "./encode.ts";
import { mostDeviations, unscaled } from "./fieldNumbers.ts";
import { fieldIds } from "./fieldTransform.ts";
import type { FieldTransform } from "./fieldTransform.ts";
import { counted, percent } from "./leakageWarning.ts";
import type { LeakageInput, LeakageWarning } from "./leakageWarning.ts";
import type { DatasetSpec } from "./spec.ts";

/** Validation and test rows of each class that a cell needs to be looked at. */
const fewestOfClass = 20;
const suspiciousAuc = 0.99;
/** Training rows of a value that never have the other label. */
const fewestOfValue = 20;
/** Share of the rows of a class that such values must hold. */
const suspiciousShare = 0.1;
/** Values looked at of one field, give or take. */
const mostValues = 20_000;
const valuesShown = 5;

/** One scenario of a field and a task, over validation and test. */
interface CellFinding {
  readonly task: number;
  readonly scenario: number;
  readonly rows: number;
  readonly positives: number;
  readonly auc: number;
  /** The label that fewer training rows have. */
  readonly rareLabel: 0 | 1;
  /** Values whose rows all have the rare label: how many there are, their training rows, their other rows. */
  readonly values: number;
  readonly valueTrainingRows: number;
  readonly valueRows: number;
}

/**
 * LABEL_PREDICTED_BY_FIELD, for every field and task at most once. In each cell (scenario × task) whose validation and
 * test rows hold at least 20 of each label, and whose training rows hold both:
 * - the rows are ranked by the share of positives that their value of this field has in training (a value without
 *   training rows counts as the average), and the AUC of that is at least 0.99; or
 * - values of the field with at least 20 training rows each always have the label that is rarer in the cell, in training
 *   as in validation and test, and hold at least 10 % (and 20) of the validation and test rows with that label.
 *
 * Values are those the model sees: numbers are bucketed, rare values share one. Numbers that stay numbers are cut into
 * buckets of an eighth of their standard deviation; lists and vectors are not looked at. Of a field with 40,000 values or more
 * every n-th in order of frequency is looked at, with all its rows: `everyNthValue` of the evidence. It also has `cells`
 * with `scenario`, `rows`, `positives` and either `auc`, or `label`, `trainingRows`, `rowsOfLabel` and up to 5 `values`
 * (of a number its bucket, or where that begins; null for the one that rare values share).
 */
export async function labelPredictors(input: LeakageInput): Promise<LeakageWarning[]> {
  const warnings: LeakageWarning[] = [];
  for (const [field, { kind }] of input.spec.fields.entries()) {
    if (kind !== "CATEGORICAL" && kind !== "NUMERIC") continue;
    const cells = await cellFindings(input, field);
    for (const task of input.spec.labels.keys()) {
      const ofTask = cells.filter((cell) => cell.task === task);
      const perfect = ofTask.filter(({ auc }) => auc >= suspiciousAuc);
      const givenAway = ofTask.filter((cell) => {
        return cell.valueRows >= Math.max(fewestOfClass, suspiciousShare * rowsOfRareLabel(cell));
      });
      if (perfect.length > 0) warnings.push(perfectWarning(input, field, task, perfect));
      else if (givenAway.length > 0) warnings.push(await givenAwayWarning(input, field, task, givenAway));
    }
  }
  return warnings;
}

function rowsOfRareLabel({ rareLabel, rows, positives }: CellFinding): number {
  return rareLabel === 1 ? positives : rows - positives;
}

/** The ids of a field are in order of frequency. */
function everyNthValue({ fields }: LeakageInput, field: number): number {
  return Math.max(1, Math.floor(fields[field]!.values.length / mostValues));
}

/**
 * SQL for (scenario, id, task, seen, held, seen_positives, held_positives) of a field: rows, and those of label 1, in
 * training and outside.
 */
function tallySql(input: LeakageInput, field: number): string {
  const tasks = [...input.spec.labels.keys()];
  const step = everyNthValue(input, field);
  const positives = (rows: string): string => {
    return `unnest([${tasks.map((task) => `coalesce(sum(label${task}) FILTER (${rows}), 0)`).join(", ")}])`;
  };
  const id = idSql(input.fields[field]!, field);
  return `SELECT scenario, ${id} AS id, count(*) FILTER (split = 0) AS seen, count(*) FILTER (split > 0) AS held,
      unnest([${tasks.join(", ")}]) AS task, ${positives("split = 0")} AS seen_positives,
      ${positives("split > 0")} AS held_positives
    FROM ${encodedField(input.spec.fields, field)} ${step === 1 ? "" : `WHERE ${id} % ${step} = 0`} GROUP BY scenario, ${id}`;
}

/** Buckets of a VALUE in a standard deviation, and the one of a missing number. */
const bucketsOfDeviation = 8;
const missingBucket = 1000;

function idSql(field: FieldTransform, place: number): string {
  if (field.kind !== "VALUE") return `id${place}`;
  const cell = `cell${place}`;
  const x = field.scale === "LOG" ? `sign(${cell}) * ln(1 + abs(${cell}))` : cell;
  const deviations = `least(greatest((${x} - (${field.mean})) / ${field.std}, -${mostDeviations}), ${mostDeviations})`;
  return `coalesce(CAST(floor(${deviations} * ${bucketsOfDeviation}) AS INTEGER), ${missingBucket})`;
}

async function cellFindings(input: LeakageInput, field: number): Promise<CellFinding[]> {
  const rows = await input.database.rows(
    `WITH tally AS MATERIALIZED (${tallySql(input, field)}),
     cells AS (
       SELECT task, scenario, sum(seen_positives) / sum(seen) AS average, sum(held) AS rows, sum(held_positives) AS positives
       FROM tally GROUP BY task, scenario
       HAVING sum(held_positives) >= ${fewestOfClass} AND sum(held - held_positives) >= ${fewestOfClass}
         AND sum(seen_positives) > 0 AND sum(seen - seen_positives) > 0),
     rated AS (
       SELECT task, scenario, CASE WHEN seen > 0 THEN seen_positives / seen ELSE average END AS rate,
         sum(held_positives) AS positives, sum(held - held_positives) AS negatives
       FROM tally JOIN cells USING (task, scenario) WHERE held > 0 GROUP BY task, scenario, rate),
     ranked AS (
       SELECT task, scenario, positives, negatives,
         sum(negatives) OVER (PARTITION BY task, scenario ORDER BY rate) - negatives AS below FROM rated),
     aucs AS (
       SELECT task, scenario, sum(positives * (below + negatives / 2)) / (sum(positives) * sum(negatives)) AS auc
       FROM ranked GROUP BY task, scenario),
     given AS (
       SELECT task, scenario, count(*) AS n, sum(seen) AS seen, sum(held) AS held
       FROM tally JOIN cells USING (task, scenario) WHERE ${alwaysRare("average <= 0.5")} GROUP BY task, scenario)
     SELECT task, scenario, rows, positives, average, auc, n, given.seen AS seen, given.held AS held
       FROM cells JOIN aucs USING (task, scenario) LEFT JOIN given USING (task, scenario) ORDER BY task, scenario`,
  );
  const number = (value: JS | undefined): number => Number(value ?? 0);
  return rows.map((row) => ({
    task: number(row["task"]),
    scenario: number(row["scenario"]),
    rows: number(row["rows"]),
    positives: number(row["positives"]),
    auc: number(row["auc"]),
    rareLabel: number(row["average"]) <= 0.5 ? 1 : 0,
    values: number(row["n"]),
    valueTrainingRows: number(row["seen"]),
    valueRows: number(row["held"]),
  }));
}

/** SQL, true of a value that always has the rare label; `isOne` says whether that is 1. */
function alwaysRare(isOne: string): string {
  const rare = (rows: string): string => `${rows}_positives = CASE WHEN ${isOne} THEN ${rows} ELSE 0 END`;
  return `seen >= ${fewestOfValue} AND held > 0 AND ${rare("seen")} AND ${rare("held")}`;
}

function perfectWarning(
  input: LeakageInput,
  field: number,
  task: number,
  cells: readonly CellFinding[],
): LeakageWarning {
  const { spec } = input;
  const { column } = spec.fields[field]!;
  const label = spec.labels[task]!;
  const rows = cells.reduce((sum, cell) => sum + cell.rows, 0);
  const each = cells.map(({ scenario, auc }) => `${auc.toFixed(4)} in ${scenarioOf(spec, scenario)}`).join(", ");
  return {
    ...sameOfBoth,
    message:
      `The field ${JSON.stringify(column)} alone predicts ${label.task} almost perfectly: its values' shares of positives in ` +
      `training rank the ${counted(rows)} validation and test rows with an AUC of ${each}.`,
    column,
    task: label.task,
    rows,
    share: null,
    evidence: {
      everyNthValue: everyNthValue(input, field),
      cells: cells.map(({ scenario, rows, positives, auc }) => {
        return { scenario: scenarioOf(spec, scenario), rows, positives, auc };
      }),
    },
  };
}

async function givenAwayWarning(
  input: LeakageInput,
  field: number,
  task: number,
  found: readonly CellFinding[],
): Promise<LeakageWarning> {
  const { spec } = input;
  const { column } = spec.fields[field]!;
  const label = spec.labels[task]!;
  const cells: unknown[] = [];
  const parts: string[] = [];
  let [rows, rowsOfLabel] = [0, 0];
  for (const cell of found) {
    const ofLabel = rowsOfRareLabel(cell);
    rows += cell.valueRows;
    rowsOfLabel += ofLabel;
    const scenario = scenarioOf(spec, cell.scenario);
    parts.push(
      `${cell.values} in ${scenario} with ${counted(cell.valueTrainingRows)} training rows and ${counted(cell.valueRows)} ` +
        `others, all of label ${cell.rareLabel} (${percent(cell.valueRows / ofLabel)} of that label's validation and test rows)`,
    );
    cells.push({
      scenario,
      rows: cell.valueRows,
      positives: cell.rareLabel === 1 ? cell.valueRows : 0,
      label: cell.rareLabel,
      trainingRows: cell.valueTrainingRows,
      rowsOfLabel: ofLabel,
      values: await valuesOf(input, field, cell),
    });
  }
  return {
    ...sameOfBoth,
    message: `Values of the field ${JSON.stringify(column)} give ${label.task} away: ${parts.join("; ")}.`,
    column,
    task: label.task,
    rows,
    share: rows / rowsOfLabel,
    evidence: { everyNthValue: everyNthValue(input, field), cells },
  };
}

const sameOfBoth = { kind: "LABEL_PREDICTED_BY_FIELD", split: null } as const;

function scenarioOf(spec: DatasetSpec, index: number): string {
  return spec.scenario.values[index]!.scenario;
}

/** The most frequent of the values that always have the rare label; null is the one all others share. */
async function valuesOf(input: LeakageInput, field: number, cell: CellFinding): Promise<(string | null)[]> {
  const { database, fields } = input;
  const found = await database.rows(
    `SELECT id FROM (${tallySql(input, field)}) WHERE task = ${cell.task} AND scenario = ${cell.scenario}
       AND ${alwaysRare(String(cell.rareLabel === 1))} ORDER BY held DESC, id LIMIT ${valuesShown}`,
  );
  return found.map(({ id }) => textOfId(fields, field, Number(id)));
}

function textOfId(fields: readonly FieldTransform[], place: number, id: number): string | null {
  const field = fields[place]!;
  if (field.kind !== "VALUE") return field.values[id - fieldIds(fields)[place]!.first] ?? null;
  if (id === missingBucket) return "";
  return String(unscaled(field.scale, field.mean + (id / bucketsOfDeviation) * field.std));
}
