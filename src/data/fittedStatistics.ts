/** Leakage check: fields that hold a statistic of the whole file, validation and test included. */
import { counted } from "./leakageWarning.ts";
import type { LeakageInput, LeakageWarning } from "./leakageWarning.ts";

/** First rows, in which a field must be constant per value of another before it is looked at in all of them. */
const sampleRows = 20_000;
const fewestEntities = 20;
/** Give or take. */
const mostEntities = 20_000;
const suspiciousCorrelation = 0.999;
/** A smaller distance from correlation 1 may be a matter of rounding. */
const smallestDistance = 1e-6;
const examplesShown = 3;

interface Statistic {
  readonly kind: "COUNT" | "SUM" | "MEAN";
  /** Undefined for COUNT. */
  readonly task?: number;
  /** SQL over the table `entities`. */
  readonly all: string;
  readonly training: string;
}

interface Finding {
  /** Indexes into the fields. */
  readonly numeric: number;
  readonly entity: number;
  readonly statistic: Statistic;
  readonly entities: number;
  readonly correlation: number;
  readonly trainingCorrelation: number;
}

/**
 * STATISTICS_OF_ALL_ROWS: a NUMERIC field that is the same in all rows of each value of a CATEGORICAL field with at least
 * 20 values (the entity, for example a video) and two rows per value, and over these values has a correlation of at least
 * 0.999 with the number of rows, or the sum or mean of a label, in **all splits**; with the same statistic of the training
 * rows it must be at least twice as far from 1. (The mean of an entity without training rows is that of all training
 * rows.) From 40,000 entities on a part of them is taken, by their hash, with all their rows. Where both statistics are the
 * same it cannot be told, and nothing is said; neither of one that was transformed (by a logarithm, say) or smoothed.
 *
 * At most one warning per field, of the best statistic. Evidence: `entity`, `statistic` (COUNT, SUM, MEAN), `entities`,
 * `correlation`, `trainingCorrelation`, and `examples` with `value`, `field`, `all` and `training`, the largest
 * differences first.
 */
export async function fittedStatistics(input: LeakageInput): Promise<LeakageWarning[]> {
  const { database, spec } = input;
  const numerics = [...spec.fields.keys()].filter((field) => spec.fields[field]!.kind === "NUMERIC");
  if (numerics.length === 0) return [];
  const warnings = new Map<number, { correlation: number; warning: LeakageWarning }>();
  try {
    await createSample(input, numerics);
    for (const entity of entityFields(input)) {
      const candidates = await constantPer(input, entity, numerics);
      if (candidates.length === 0) continue;
      await createEntities(input, entity, candidates);
      for (const finding of await findings(input, entity, candidates)) {
        const known = warnings.get(finding.numeric);
        if (known && known.correlation >= finding.correlation) continue;
        warnings.set(finding.numeric, { correlation: finding.correlation, warning: await warningOf(input, finding) });
      }
    }
  } finally {
    await database.run("DROP TABLE IF EXISTS sample; DROP TABLE IF EXISTS entities");
  }
  return [...warnings.entries()].sort(([a], [b]) => a - b).map(([, { warning }]) => warning);
}

/** CATEGORICAL fields with enough values, and two training rows or more to each. */
function entityFields({ spec, source, fields }: LeakageInput): number[] {
  return [...spec.fields.keys()].filter((field) => {
    const { length } = fields[field]!.values;
    return spec.fields[field]!.kind === "CATEGORICAL" && length >= fewestEntities && length <= source.rows / 2;
  });
}

/** SQL for the number in a column; a sum of squares of larger ones would be infinite. */
function numberSql(text: string): string {
  return `CASE WHEN abs(TRY_CAST(${text} AS DOUBLE)) < 1e100 THEN TRY_CAST(${text} AS DOUBLE) END`;
}

/** The table `sample`: texts as in `rows`, numbers as x<field>. */
async function createSample({ database, source, spec }: LeakageInput, numerics: readonly number[]): Promise<void> {
  const numbers = numerics.map((field) => `${numberSql(source.column(spec.fields[field]!.column))} AS x${field}`);
  await database.run(
    `CREATE OR REPLACE TEMP TABLE sample AS SELECT *, ${numbers.join(", ")} FROM rows WHERE row < ${sampleRows}`,
  );
}

/** Those of the numeric fields that have one number per value of the entity field in the sample. */
async function constantPer(
  { database, source, spec }: LeakageInput,
  entity: number,
  numerics: readonly number[],
): Promise<number[]> {
  const value = source.column(spec.fields[entity]!.column);
  const bounds = numerics.map((field) => `min(x${field}) AS low${field}, max(x${field}) AS high${field}`);
  const same = numerics.map((field) => `bool_and(low${field} = high${field}) AS same${field}`);
  const [found] = await database.rows(
    `SELECT ${same.join(", ")} FROM (SELECT ${bounds.join(", ")} FROM sample GROUP BY ${value})`,
  );
  return numerics.filter((field) => found![`same${field}`] === true);
}

/** The table `entities`: per value its rows n, positives s<task>, the same of training, and the bounds of the numbers. */
async function createEntities(
  { database, source, spec, fields }: LeakageInput,
  entity: number,
  numerics: readonly number[],
): Promise<void> {
  const step = Math.max(1, Math.floor(fields[entity]!.values.length / mostEntities));
  const value = source.column(spec.fields[entity]!.column);
  const labels = spec.labels.map(({ column }, task) => `${source.column(column)} = '1' AS label${task}`);
  const numbers = numerics.map((field) => `${numberSql(source.column(spec.fields[field]!.column))} AS x${field}`);
  const sums = spec.labels.flatMap((_, task) => [
    `count(*) FILTER (label${task}) AS s${task}`,
    `count(*) FILTER (label${task} AND split = 0) AS training_s${task}`,
  ]);
  const bounds = numerics.map((field) => `min(x${field}) AS low${field}, max(x${field}) AS high${field}`);
  await database.run(
    `CREATE OR REPLACE TEMP TABLE entities AS
       SELECT value, count(*) AS n, count(*) FILTER (split = 0) AS training_n, ${[...sums, ...bounds].join(", ")}
       FROM (SELECT ${value} AS value, split, ${[...labels, ...numbers].join(", ")} FROM rows
         ${step === 1 ? "" : `WHERE hash(${value}) % ${step} = 0`}) GROUP BY value`,
  );
}

function statisticsOf({ spec }: LeakageInput): Statistic[] {
  const perTask = [...spec.labels.keys()].flatMap((task): Statistic[] => {
    const average = `(SELECT sum(training_s${task}) / sum(training_n) FROM entities)`;
    const training = `CASE WHEN training_n > 0 THEN training_s${task} / training_n ELSE ${average} END`;
    return [
      { kind: "SUM", task, all: `s${task}`, training: `training_s${task}` },
      { kind: "MEAN", task, all: `s${task} / n`, training },
    ];
  });
  return [{ kind: "COUNT", all: "n", training: "training_n" }, ...perTask];
}

async function findings(input: LeakageInput, entity: number, numerics: readonly number[]): Promise<Finding[]> {
  const statistics = statisticsOf(input);
  const found: Finding[] = [];
  for (const numeric of numerics) {
    const columns = statistics.flatMap(({ all, training }, index) => [
      `corr(low${numeric}, ${all}) AS all${index}`,
      `corr(low${numeric}, ${training}) AS training${index}`,
    ]);
    const [row] = await input.database.rows(
      `SELECT bool_and(low${numeric} = high${numeric}) AS same, count(low${numeric}) AS entities,
         ${columns.join(", ")} FROM entities`,
    );
    const entities = Number(row!["entities"]);
    if (row!["same"] !== true || entities < fewestEntities) continue;
    statistics.forEach((statistic, index) => {
      const correlation = rounded(row![`all${index}`]);
      const trainingCorrelation = rounded(row![`training${index}`]);
      const distance = 1 - trainingCorrelation;
      if (correlation < suspiciousCorrelation || distance < smallestDistance) return;
      if (1 - correlation > distance / 2) return;
      found.push({ numeric, entity, statistic, entities, correlation, trainingCorrelation });
    });
  }
  return found;
}

/** The last digits depend on the order in which threads add. 0 where a side is the same everywhere. */
function rounded(correlation: unknown): number {
  return Number(Number(correlation ?? 0).toFixed(9)) || 0;
}

async function warningOf({ database, spec }: LeakageInput, finding: Finding): Promise<LeakageWarning> {
  const { numeric, statistic, entities, correlation, trainingCorrelation } = finding;
  const { column } = spec.fields[numeric]!;
  const entity = spec.fields[finding.entity]!.column;
  const task = statistic.task === undefined ? null : spec.labels[statistic.task]!.task;
  const { all, training } = statistic;
  const examples = await database.rows(
    `SELECT value, low${numeric} AS field, CAST(${all} AS DOUBLE) AS "all", CAST(${training} AS DOUBLE) AS training
       FROM entities WHERE low${numeric} IS NOT NULL AND ${all} <> ${training}
       ORDER BY abs(${all} - ${training}) DESC, value LIMIT ${examplesShown}`,
  );
  const what =
    task === null ? "number of rows" : statistic.kind === "SUM" ? `sum of ${task}` : `share of positives of ${task}`;
  return {
    kind: "STATISTICS_OF_ALL_ROWS",
    message:
      `The field ${JSON.stringify(column)} is the ${what} per ${JSON.stringify(entity)} in all splits: over ${counted(entities)} ` +
      `values the correlation is ${correlation.toFixed(4)}, with training alone ${trainingCorrelation.toFixed(4)}. ` +
      `It knows rows of validation and test.`,
    column,
    task,
    split: null,
    rows: null,
    share: null,
    evidence: { entity, statistic: statistic.kind, entities, correlation, trainingCorrelation, examples },
  };
}
