/**
 * A split on disk: an Arrow IPC file, uncompressed, so that any Arrow library can read or map it. Columns: `id:<column>`
 * int32 per field, `scenario` int32, `group` int32 where the dataset has groups, `label:<task>` uint8, in this order; the
 * number of rows in the schema's metadata.
 */
import { open } from "node:fs/promises";
import {
  AsyncByteQueue,
  Field,
  Int32,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchReader,
  Schema,
  Struct,
  Uint8,
} from "apache-arrow";
import { writeDurably } from "./durableFile.ts";
import type { WrittenFile } from "./durableFile.ts";
import type { SplitRows } from "./spec.ts";

/** Columns of some rows: the ids of each field, the scenario, the group where there is one; the labels of each task. */
export interface RowColumns {
  readonly rows: number;
  readonly integers: readonly Int32Array[];
  readonly labels: readonly Uint8Array[];
}

const batchRows = 65_536;

/**
 * Writes the chunks, in their order, to a new file and brings it to disk (fsync). Holds one record batch in memory.
 * Throws when the chunks do not add up to `rows`.
 */
export async function writeSplit(input: {
  readonly file: string;
  readonly fields: readonly string[];
  readonly tasks: readonly string[];
  readonly grouped: boolean;
  readonly rows: number;
  readonly chunks: AsyncIterable<RowColumns>;
}): Promise<WrittenFile> {
  const { file, fields, tasks, grouped, rows, chunks } = input;
  const integers = [...fields.map((column) => `id:${column}`), "scenario", ...(grouped ? ["group"] : [])];
  const columns = [
    ...integers.map((name) => new Field(name, new Int32(), false)),
    ...tasks.map((task) => new Field(`label:${task}`, new Uint8(), false)),
  ];
  const schema = new Schema(columns, new Map([["rows", String(rows)]]));
  return writeDurably(file, arrowBytes(schema, gathered(chunks, integers.length, tasks.length), rows));
}

/** Small chunks become large ones. The arrays are new each time: the stream to disk may still hold the last ones. */
async function* gathered(
  chunks: AsyncIterable<RowColumns>,
  integerColumns: number,
  labelColumns: number,
): AsyncGenerator<RowColumns> {
  const fresh = () => ({
    integers: Array.from({ length: integerColumns }, () => new Int32Array(batchRows)),
    labels: Array.from({ length: labelColumns }, () => new Uint8Array(batchRows)),
  });
  let batch = fresh();
  let filled = 0;
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.rows;) {
      const count = Math.min(chunk.rows - from, batchRows - filled);
      batch.integers.forEach((column, i) => column.set(chunk.integers[i]!.subarray(from, from + count), filled));
      batch.labels.forEach((column, i) => column.set(chunk.labels[i]!.subarray(from, from + count), filled));
      from += count;
      filled += count;
      if (filled < batchRows) continue;
      yield { rows: filled, ...batch };
      batch = fresh();
      filled = 0;
    }
  }
  if (filled === 0) return;
  yield {
    rows: filled,
    integers: batch.integers.map((column) => column.subarray(0, filled)),
    labels: batch.labels.map((column) => column.subarray(0, filled)),
  };
}

/** What the Arrow writer writes, kept until it is taken: pulling instead of pushing bounds the memory. */
class Bytes extends AsyncByteQueue {
  private pieces: Uint8Array[] = [];

  override write(piece: ArrayBufferView | ArrayBufferLike): void {
    const bytes = ArrayBuffer.isView(piece)
      ? new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength)
      : new Uint8Array(piece);
    if (bytes.length > 0) this.pieces.push(bytes);
  }

  take(): Uint8Array[] {
    const taken = this.pieces;
    this.pieces = [];
    return taken;
  }
}

async function* arrowBytes(
  schema: Schema,
  chunks: AsyncIterable<RowColumns>,
  rows: number,
): AsyncGenerator<Uint8Array> {
  const bytes = new Bytes();
  const writer = new RecordBatchFileWriter();
  writer.reset(bytes, schema);
  let written = 0;
  for await (const chunk of chunks) {
    const children = [
      ...chunk.integers.map((data) => makeData({ type: new Int32(), length: chunk.rows, nullCount: 0, data })),
      ...chunk.labels.map((data) => makeData({ type: new Uint8(), length: chunk.rows, nullCount: 0, data })),
    ];
    const type = new Struct(schema.fields);
    writer.write(new RecordBatch(schema, makeData({ type, length: chunk.rows, nullCount: 0, children })));
    written += chunk.rows;
    yield* bytes.take();
  }
  // A stream of DuckDB that was disturbed ends early without an error.
  if (written !== rows) throw new Error(`writeSplit: expected ${rows} rows, got ${written}`);
  writer.close();
  yield* bytes.take();
}

/**
 * Reads a file that `writeSplit` wrote, one record batch at a time, into row-major arrays.
 * Throws when it is not such a file, or not all of it.
 */
export async function readSplit(file: string): Promise<SplitRows> {
  return read(file, true);
}

/** The same without the ids, in a fraction of the memory: what it takes to measure predictions. */
export async function readLabels(file: string): Promise<Omit<SplitRows, "ids">> {
  const { ids: _, ...rest } = await read(file, false);
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

/** Ids and scenarios, again in such parts. */
export async function* readIdParts(file: string): AsyncGenerator<Pick<SplitRows, "rows" | "ids" | "scenario">> {
  const handle = await open(file);
  try {
    const reader = await (await RecordBatchReader.from(handle)).open();
    const names = reader.schema.fields.map((field) => field.name);
    const fields = names.filter((name) => name.startsWith("id:")).length;
    for await (const batch of reader) {
      const ids = new Int32Array(batch.numRows * fields);
      for (let field = 0; field < fields; field++) interleave(valuesOf(batch, field), ids, field, fields);
      yield { rows: batch.numRows, ids, scenario: valuesOf(batch, names.indexOf("scenario")) as Int32Array };
    }
  } finally {
    await handle.close();
  }
}

async function read(file: string, withIds: boolean): Promise<SplitRows> {
  const handle = await open(file);
  try {
    const reader = await RecordBatchReader.from(handle);
    return await collectRows(await reader.open(), withIds);
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`readSplit: ${file}: expected the Arrow file of a split, got: ${received}`, { cause });
  } finally {
    await handle.close();
  }
}

async function collectRows(reader: RecordBatchReader, withIds: boolean): Promise<SplitRows> {
  const names = reader.schema.fields.map((field) => field.name);
  const fields = names.filter((name) => name.startsWith("id:")).length;
  const grouped = names[fields + 1] === "group";
  const firstLabel = fields + (grouped ? 2 : 1);
  const tasks = names.length - firstLabel;
  const rows = Number(reader.schema.metadata.get("rows"));
  if (names[fields] !== "scenario" || tasks < 1) throw new Error(`the columns ${names.join(", ")}`);
  const split = {
    rows,
    ids: new Int32Array(withIds ? rows * fields : 0),
    scenario: new Int32Array(rows),
    labels: new Float32Array(rows * tasks),
    ...(grouped ? { groups: new Int32Array(rows) } : {}),
  };
  let row = 0;
  for await (const batch of reader) {
    for (let field = 0; withIds && field < fields; field++) {
      interleave(valuesOf(batch, field), split.ids, row * fields + field, fields);
    }
    split.scenario.set(valuesOf(batch, fields), row);
    split.groups?.set(valuesOf(batch, fields + 1), row);
    for (let task = 0; task < tasks; task++) {
      interleave(valuesOf(batch, firstLabel + task), split.labels, row * tasks + task, tasks);
    }
    row += batch.numRows;
  }
  if (row !== rows) throw new Error(`${row} rows instead of ${rows}`);
  return split;
}

function valuesOf(batch: RecordBatch, column: number): Int32Array | Uint8Array {
  return batch.getChildAt(column)!.toArray();
}

function interleave(from: ArrayLike<number>, to: Int32Array | Float32Array, start: number, step: number): void {
  for (let index = 0; index < from.length; index++) to[start + index * step] = from[index]!;
}
