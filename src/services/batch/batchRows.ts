/** What goes into a batch prediction and what comes out of it: from texts of a file to rows with probabilities. */
import { fileFault } from "../../data/faults.ts";
import type { FileRows, TextChunk } from "../../data/fileRows.ts";
import type { LineColumn } from "../../data/lineFiles.ts";
import type { EncodedRows, RawRow } from "../../data/transform.ts";
import { ProductError } from "../../errors.ts";
import type { Run } from "../../store/rows.ts";
import { shown } from "../parseInput.ts";
import { assertConverged } from "../prediction/predict.ts";
import type { OpenModel } from "../prediction/openModel.ts";
import { cellOf } from "../stored.ts";

export interface PredictedPart {
  /** One object per row. */
  readonly rows: readonly object[];
  /** Per column the rows whose value training did not keep. */
  readonly unknown: Readonly<Record<string, number>>;
}

/** The columns that a file must have, the scenario first. */
export function columnsOf({
  scenario,
  fields,
}: {
  readonly scenario: { readonly column: string };
  readonly fields: readonly { readonly column: string }[];
}): string[] {
  return [...new Set([scenario.column, ...fields.map(({ column }) => column)])];
}

/** Of the rows that come out, in their order. */
export function resultColumns(tasks: readonly string[]): LineColumn[] {
  return [
    { name: "row", type: "INTEGER" },
    { name: "scenario", type: "TEXT" },
    ...tasks.map((task): LineColumn => ({ name: probabilityOf(task), type: "NUMBER" })),
  ];
}

/**
 * Predicts a chunk of the columns `columnsOf` that begins with row `first` (from 0). Throws InvalidInputError with column,
 * line and value of a row that cannot be used.
 */
export async function predictPart(
  run: Run,
  model: OpenModel,
  { file, source, chunk, first }: { file: string; source: FileRows; chunk: TextChunk; first: number },
): Promise<PredictedPart> {
  const { transform, facts } = model;
  const cell = cellOf(run);
  const fault = async (row: number, column: string, expected: string, received: string) =>
    fileFault({ file, column, line: await source.lineOf(first + row), expected, received });
  const { column, values } = transform.toJSON().scenario;
  const known = cell ? values.filter(({ scenario }) => scenario === cell.scenario) : values;
  const scenarioOf = new Map(known.map(({ value, scenario }) => [value, scenario]));
  const astray = chunk.texts[0]!.findIndex((value) => !scenarioOf.has(value));
  if (astray >= 0) {
    const expected = known.map(({ value }) => shown(value)).join(" or ");
    const only = cell ? ", the only scenario of this run" : "";
    throw await fault(astray, column, `${expected}${only}`, cellText(chunk.texts[0]![astray]!));
  }

  const columns = columnsOf(transform.toJSON());
  const rows = Array.from({ length: chunk.rows }, (_, row): RawRow => {
    const cells = columns.map((name, place) => [name, chunk.texts[place]![row]!]);
    return { scenario: scenarioOf.get(chunk.texts[0]![row]!)!, values: Object.fromEntries(cells) };
  });
  const encoded = await encoding(() => transform.encode(rows), fault);
  const probabilities = await model.predict(cell ? ofOneScenario(encoded) : encoded);
  assertConverged(run, probabilities);

  const names = facts.tasks.map(probabilityOf);
  return {
    unknown: encoded.unknown,
    rows: rows.map(({ scenario }, row) => {
      const result: Record<string, unknown> = { row: first + row, scenario };
      for (const [task, name] of names.entries()) result[name] = probabilities[row * names.length + task]!;
      return result;
    }),
  };
}

/** A model of one cell knows no scenario but its own. */
function ofOneScenario(encoded: EncodedRows): EncodedRows {
  return { ...encoded, scenario: encoded.scenario.map(() => 0) };
}

/** An error about `rows[3].values.age` becomes one about a line of the file. */
async function encoding(
  work: () => EncodedRows,
  fault: (row: number, column: string, expected: string, received: string) => Promise<Error>,
): Promise<EncodedRows> {
  try {
    return work();
  } catch (error) {
    const place = error instanceof ProductError && /^rows\[(\d+)\]\.values\.([^]*)$/.exec(error.detail.field ?? "");
    if (!place) throw error;
    const { expected, received } = error.detail;
    throw await fault(Number(place[1]), place[2]!, `${expected} or an empty cell`, received!);
  }
}

const probabilityOf = (task: string): string => `probability:${task}`;

const cellText = (value: string): string => (value === "" ? "an empty cell" : shown(value));
