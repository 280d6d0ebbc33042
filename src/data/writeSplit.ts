/** Writes a split to disk, in the form that arrowFiles.ts tells of. */
import type { Data } from "apache-arrow";
import {
  AsyncByteQueue,
  Field,
  FixedSizeList,
  Float32,
  Int32,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  Schema,
  Struct,
  Uint8,
} from "apache-arrow";
import { fieldPlaces } from "../fieldLayout.ts";
import type { FieldLayout } from "../fieldLayout.ts";
import { writeDurably } from "./durableFile.ts";
import type { WrittenFile } from "./durableFile.ts";

/** Columns of some rows, each row-major. */
export interface RowColumns {
  readonly rows: number;
  /** The ids [rows, ids] of each field that has any, the scenario, the group where there is one. */
  readonly integers: readonly Int32Array[];
  /** Those [rows, numbers] of each field that has any. */
  readonly numbers: readonly Float32Array[];
  /** Of each task. */
  readonly labels: readonly Uint8Array[];
}

const mostBatchRows = 65_536;
/** Numbers of four bytes in a batch of rows with lists. */
const batchNumbers = 16_777_216;

/**
 * Writes the chunks, in their order, to a new file and brings it to disk (fsync). Holds one record batch in memory.
 * Throws when the chunks do not add up to `rows`.
 */
export async function writeSplit(input: {
  readonly file: string;
  readonly fields: readonly string[];
  /** What a row holds for each field; default: one id for every one. */
  readonly layouts?: readonly FieldLayout[];
  readonly tasks: readonly string[];
  readonly grouped: boolean;
  readonly rows: number;
  readonly chunks: AsyncIterable<RowColumns>;
}): Promise<WrittenFile> {
  const { file, fields, layouts = fields.map(() => ({ kind: "ID" as const })), tasks, grouped, rows, chunks } = input;
  const places = fieldPlaces(layouts).map((place, index) => ({ ...place, column: fields[index]! }));
  const ofFields = places.flatMap(({ column, ids }) => (ids === 0 ? [] : [{ name: `id:${column}`, width: ids }]));
  const others = ["scenario", ...(grouped ? ["group"] : [])].map((name) => ({ name, width: 1 }));
  const widths = {
    integers: [...ofFields, ...others],
    numbers: places.flatMap(({ column, numbers }) =>
      numbers === 0 ? [] : [{ name: `number:${column}`, width: numbers }],
    ),
    labels: tasks.map((task) => ({ name: `label:${task}`, width: 1 })),
  };
  const typeOf = (width: number, type: Int32 | Float32 | Uint8): Int32 | Float32 | Uint8 | FixedSizeList =>
    width === 1 ? type : new FixedSizeList(width, new Field("item", type, false));
  const columns = [
    ...widths.integers.map(({ name, width }) => new Field(name, typeOf(width, new Int32()), false)),
    ...widths.numbers.map(({ name, width }) => new Field(name, typeOf(width, new Float32()), false)),
    ...widths.labels.map(({ name }) => new Field(name, new Uint8(), false)),
  ];
  const schema = new Schema(columns, new Map([["rows", String(rows)]]));
  return writeDurably(file, arrowBytes(schema, gathered(chunks, widths), rows));
}

type Widths = { readonly [Part in "integers" | "numbers" | "labels"]: readonly { readonly width: number }[] };

/** Small chunks become large ones. The arrays are new each time: the stream to disk may still hold the last ones. */
async function* gathered(chunks: AsyncIterable<RowColumns>, widths: Widths): AsyncGenerator<RowColumns> {
  const batchRows = batchRowsOf(widths);
  const fresh = () => ({
    integers: widths.integers.map(({ width }) => new Int32Array(batchRows * width)),
    numbers: widths.numbers.map(({ width }) => new Float32Array(batchRows * width)),
    labels: widths.labels.map(({ width }) => new Uint8Array(batchRows * width)),
  });
  const parts = ["integers", "numbers", "labels"] as const;
  let batch = fresh();
  let filled = 0;
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.rows;) {
      const count = Math.min(chunk.rows - from, batchRows - filled);
      for (const part of parts) {
        for (const [i, { width }] of widths[part].entries()) {
          const own = chunk[part][i]!.subarray(from * width, (from + count) * width);
          batch[part][i]!.set(own, filled * width);
        }
      }
      from += count;
      filled += count;
      if (filled < batchRows) continue;
      yield { rows: filled, ...batch };
      batch = fresh();
      filled = 0;
    }
  }
  if (filled === 0) return;
  const end = (part: (typeof parts)[number], i: number): number => filled * widths[part][i]!.width;
  yield {
    rows: filled,
    integers: batch.integers.map((column, i) => column.subarray(0, end("integers", i))),
    numbers: batch.numbers.map((column, i) => column.subarray(0, end("numbers", i))),
    labels: batch.labels.map((column, i) => column.subarray(0, end("labels", i))),
  };
}

/** Where every column has one number a row it does not depend on how many columns there are. */
function batchRowsOf({ integers, numbers }: Widths): number {
  const lists = [...integers, ...numbers].reduce((sum, { width }) => sum + (width === 1 ? 0 : width), 0);
  return lists === 0 ? mostBatchRows : Math.min(mostBatchRows, Math.ceil(batchNumbers / lists));
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
    const children = [...chunk.integers, ...chunk.numbers, ...chunk.labels].map((values, column) =>
      dataOf(schema.fields[column]!, chunk.rows, values),
    );
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

function dataOf({ type }: Field, length: number, values: Int32Array | Float32Array | Uint8Array): Data {
  if (!(type instanceof FixedSizeList)) return makeData({ type, length, nullCount: 0, data: values } as never);
  const child = dataOf(type.children[0]!, values.length, values);
  return makeData({ type, length, nullCount: 0, child });
}
