/**
 * A split on disk: an Arrow IPC file, uncompressed, so that any Arrow library can read or map it. Columns: `id:<column>`
 * int32 per field with ids, `scenario` int32, `group` int32 where the dataset has groups, `number:<column>` float32 per field
 * with numbers, `label:<task>` uint8, in this order; ids and numbers of which a row has several are lists of a fixed size. The
 * number of rows is in the schema's metadata. writeSplit.ts writes it.
 */
import { open } from "node:fs/promises";
import { FixedSizeList, makeVector, RecordBatchReader } from "apache-arrow";
import type { RecordBatch, Schema } from "apache-arrow";
import type { SplitRows } from "./spec.ts";

/**
 * Reads a file that `writeSplit` wrote, one record batch at a time, into row-major arrays.
 * Throws when it is not such a file, or not all of it.
 */
export async function readSplit(file: string): Promise<SplitRows> {
  return read(file, true);
}

/** The same without ids and numbers, in a fraction of the memory: what it takes to measure predictions. */
export async function readLabels(file: string): Promise<Omit<SplitRows, "ids" | "numbers">> {
  const { ids: _, numbers: __, ...rest } = await read(file, false);
  return rest;
}

/** The same in parts of at most 65,536 rows, for what needs no more than a part at a time. */
export async function* readLabelParts(file: string): AsyncGenerator<Pick<SplitRows, "rows" | "scenario" | "labels">> {
  const handle = await open(file);
  try {
    const reader = await (await RecordBatchReader.from(handle)).open();
    const names = reader.schema.fields.map((field) => field.name);
    const [scenario, firstLabel] = [names.indexOf("scenario"), names.findIndex((name) => name.startsWith("label:"))];
    const tasks = names.length - firstLabel;
    for await (const batch of reader) {
      const labels = new Float32Array(batch.numRows * tasks);
      for (let task = 0; task < tasks; task++) interleave(valuesOf(batch, firstLabel + task), labels, task, tasks);
      yield { rows: batch.numRows, scenario: valuesOf(batch, scenario) as Int32Array, labels };
    }
  } finally {
    await handle.close();
  }
}

/** Ids, numbers and scenarios, again in such parts. */
export async function* readInputParts(
  file: string,
): AsyncGenerator<Pick<SplitRows, "rows" | "ids" | "numbers" | "scenario">> {
  const handle = await open(file);
  try {
    const reader = await (await RecordBatchReader.from(handle)).open();
    const names = reader.schema.fields.map((field) => field.name);
    const [idColumns, numberColumns] = [columnsOf(reader.schema, "id:"), columnsOf(reader.schema, "number:")];
    for await (const batch of reader) {
      const ids = new Int32Array(batch.numRows * idColumns.width);
      const numbers = new Float32Array(batch.numRows * numberColumns.width);
      place(batch, idColumns, ids, 0);
      place(batch, numberColumns, numbers, 0);
      yield { rows: batch.numRows, ids, numbers, scenario: valuesOf(batch, names.indexOf("scenario")) as Int32Array };
    }
  } finally {
    await handle.close();
  }
}

async function read(file: string, withInputs: boolean): Promise<SplitRows> {
  const handle = await open(file);
  try {
    const reader = await RecordBatchReader.from(handle);
    return await collectRows(await reader.open(), withInputs);
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`readSplit: ${file}: expected the Arrow file of a split, got: ${received}`, { cause });
  } finally {
    await handle.close();
  }
}

async function collectRows(reader: RecordBatchReader, withInputs: boolean): Promise<SplitRows> {
  const names = reader.schema.fields.map((field) => field.name);
  const [idColumns, numberColumns] = [columnsOf(reader.schema, "id:"), columnsOf(reader.schema, "number:")];
  const scenario = names.indexOf("scenario");
  const group = names[scenario + 1] === "group" ? scenario + 1 : undefined;
  const firstLabel = names.findIndex((name) => name.startsWith("label:"));
  const tasks = firstLabel < 0 ? 0 : names.length - firstLabel;
  const rows = Number(reader.schema.metadata.get("rows"));
  if (scenario < 0 || tasks < 1) throw new Error(`the columns ${names.join(", ")}`);
  const split = {
    rows,
    ids: new Int32Array(withInputs ? rows * idColumns.width : 0),
    numbers: new Float32Array(withInputs ? rows * numberColumns.width : 0),
    scenario: new Int32Array(rows),
    labels: new Float32Array(rows * tasks),
    ...(group === undefined ? {} : { groups: new Int32Array(rows) }),
  };
  let row = 0;
  for await (const batch of reader) {
    if (withInputs) place(batch, idColumns, split.ids, row);
    if (withInputs) place(batch, numberColumns, split.numbers, row);
    split.scenario.set(valuesOf(batch, scenario), row);
    if (group !== undefined) split.groups!.set(valuesOf(batch, group), row);
    for (let task = 0; task < tasks; task++) {
      interleave(valuesOf(batch, firstLabel + task), split.labels, row * tasks + task, tasks);
    }
    row += batch.numRows;
  }
  if (row !== rows) throw new Error(`${row} rows instead of ${rows}`);
  return split;
}

/** Columns of one kind, which lie side by side in a row of `width`. */
interface Columns {
  readonly columns: readonly { readonly index: number; readonly width: number; readonly start: number }[];
  readonly width: number;
}

function columnsOf({ fields }: Schema, prefix: string): Columns {
  let width = 0;
  const columns = fields.flatMap(({ name, type }, index) => {
    if (!name.startsWith(prefix)) return [];
    const own = { index, width: type instanceof FixedSizeList ? type.listSize : 1, start: width };
    width += own.width;
    return [own];
  });
  return { columns, width };
}

/** Copies the columns of a batch to rows [rows, width], from `row` on. */
function place(
  batch: RecordBatch,
  { columns, width: all }: Columns,
  rows: Int32Array | Float32Array,
  row: number,
): void {
  for (const { index, width, start } of columns) {
    const values = valuesOf(batch, index);
    const first = row * all + start;
    if (width === 1) interleave(values, rows, first, all);
    else for (let i = 0; i < batch.numRows; i++) rows.set(values.subarray(i * width, (i + 1) * width), first + i * all);
  }
}

/** Of a list those inside, one row's behind the other's. */
function valuesOf(batch: RecordBatch, column: number): Int32Array | Float32Array | Uint8Array {
  const data = batch.data.children[column]!;
  return makeVector(data.children[0] ?? data).toArray();
}

function interleave(from: ArrayLike<number>, to: Int32Array | Float32Array, start: number, step: number): void {
  for (let index = 0; index < from.length; index++) to[start + index * step] = from[index]!;
}
