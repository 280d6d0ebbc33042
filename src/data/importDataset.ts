/** From a file to a dataset on disk: check, fit on the training split, encode, write. The work is done in DuckDB's threads. */
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { checkRows } from "./checkRows.ts";
import { checkSpec } from "./checkSpec.ts";
import { openDatabase } from "./duckDb.ts";
import type { Database } from "./duckDb.ts";
import { syncFolder, writeDurably } from "./durableFile.ts";
import type { WrittenFile } from "./durableFile.ts";
import { encodedRows, encodeRows } from "./encode.ts";
import { inspectFile } from "./inspect.ts";
import { labelConditions } from "./labelConditions.ts";
import { checkLeakage } from "./leakage.ts";
import type { LeakageWarning } from "./leakageWarning.ts";
import { countCells, datasetFiles } from "./manifest.ts";
import type { DatasetFile, DatasetManifest } from "./manifest.ts";
import { idCount } from "./fieldTransform.ts";
import type { FieldTransform } from "./fieldTransform.ts";
import { createListCounts } from "./listCounts.ts";
import type { ListCounts } from "./listCounts.ts";
import { loadSource } from "./source.ts";
import { splits } from "./spec.ts";
import type { DatasetSpec, Split } from "./spec.ts";
import { createTransform } from "./transform.ts";
import type { Transform } from "./transform.ts";
import { fitField } from "./vocabulary.ts";
import { writeSplit } from "./writeSplit.ts";

export const importStages = ["CHECK", "READ", "FIT", "ENCODE", "LEAKAGE", "WRITE"] as const;

export interface ImportProgress {
  readonly stage: (typeof importStages)[number];
  /** Of this stage, [0, 1]. */
  readonly share: number;
}

export interface ImportInput {
  /** Path to a .csv, .csv.gz or .parquet file. */
  readonly file: string;
  readonly spec: DatasetSpec;
  /** Made if it is not there; must be empty. */
  readonly outFolder: string;
  /** The fields of another dataset, as many and of the same columns, whose ids are taken. Default: they are fitted. */
  readonly vocabulary?: readonly FieldTransform[];
  readonly onProgress?: (progress: ImportProgress) => void;
}

/**
 * Writes train.arrow, validation.arrow, test.arrow (rows in the order of the file) and transform.json into `outFolder`;
 * they appear complete or not at all. Throws InvalidInputError when the spec does not fit the file, or the file is
 * malformed, with column, line and value; then, as after any other failure, nothing is left in `outFolder`.
 */
export async function importDataset(input: ImportInput): Promise<DatasetManifest> {
  const { outFolder } = input;
  await mkdir(outFolder, { recursive: true });
  if ((await readdir(outFolder)).length > 0) throw new Error(`importDataset: ${outFolder}: expected an empty folder`);
  const scratch = join(outFolder, "unfinished");
  await mkdir(scratch);
  try {
    const manifest = await importInto(scratch, input);
    for (const name of datasetFiles) await rename(join(scratch, name), join(outFolder, name));
    await rm(scratch, { recursive: true });
    await syncFolder(outFolder);
    return manifest;
  } catch (error) {
    for (const name of [...datasetFiles, "unfinished"])
      await rm(join(outFolder, name), { recursive: true, force: true });
    throw error;
  }
}

async function importInto(scratch: string, input: ImportInput): Promise<DatasetManifest> {
  checkSpec(input.spec, (await inspectFile(input.file)).columns, "spec");
  const database = await openDatabase(join(scratch, "spill"));
  try {
    const { transform, splitRows, warnings } = await encodeFile(database, scratch, input);
    const json = transform.toJSON();
    const lists = createListCounts(json.fields);
    const files = await writeFiles(database, scratch, input, { transform, splitRows, lists });
    const counts = await countCells(database, json, transform.shape.scenarios, lists);
    return { version: 1, shape: transform.shape, ...counts, warnings, files };
  } finally {
    await database.close();
  }
}

/** Leaves the table `encoded` in the database. */
async function encodeFile(
  database: Database,
  scratch: string,
  { file, spec, vocabulary, onProgress = () => {} }: ImportInput,
): Promise<{ transform: Transform; splitRows: Record<Split, number>; warnings: readonly LeakageWarning[] }> {
  const { size } = await stat(file);
  const source = await loadSource({
    file,
    spec,
    database,
    scratch,
    onRead: (bytes) => onProgress({ stage: "CHECK", share: bytes / size }),
    onChecked: () => onProgress({ stage: "READ", share: 0 }),
  });
  const splitRows = await checkRows(database, source, spec);
  onProgress({ stage: "READ", share: 1 });

  let offset = 0;
  const fields: FieldTransform[] = [];
  const tables: string[] = [];
  for (const field of spec.fields) {
    onProgress({ stage: "FIT", share: fields.length / spec.fields.length });
    const table = `field${fields.length}`;
    const known = vocabulary?.[fields.length];
    const fitted = await fitField({ database, source, field, offset, table, ...(known ? { known } : {}) });
    fields.push(fitted);
    tables.push(table);
    offset += idCount(fitted);
  }
  onProgress({ stage: "FIT", share: 1 });

  onProgress({ stage: "ENCODE", share: 0 });
  await encodeRows(database, source, spec, tables);
  onProgress({ stage: "ENCODE", share: 1 });
  onProgress({ stage: "LEAKAGE", share: 0 });
  const warnings = await checkLeakage({ database, source, spec, fields });
  await database.run("DROP VIEW rows; DROP TABLE source");
  onProgress({ stage: "LEAKAGE", share: 1 });
  const tasks = spec.labels.map(({ task }) => task);
  const conditions = labelConditions(spec.labels);
  const json = { version: 1 as const, fields, scenario: spec.scenario, tasks, ...(conditions ? { conditions } : {}) };
  return { transform: createTransform(json), splitRows, warnings };
}

async function writeFiles(
  database: Database,
  folder: string,
  { spec, onProgress = () => {} }: ImportInput,
  {
    transform,
    splitRows,
    lists,
  }: { readonly transform: Transform; readonly splitRows: Record<Split, number>; readonly lists: ListCounts },
): Promise<Record<DatasetFile, WrittenFile>> {
  const all = splits.reduce((sum, split) => sum + splitRows[split], 0);
  let done = 0;
  const writeRows = (split: Split): Promise<WrittenFile> => {
    const chunks = async function* () {
      for await (const chunk of encodedRows(database, spec, transform.toJSON().fields, splits.indexOf(split))) {
        lists.add(splits.indexOf(split), chunk);
        yield chunk;
        done += chunk.rows;
        onProgress({ stage: "WRITE", share: done / all });
      }
    };
    return writeSplit({
      file: join(folder, `${split}.arrow`),
      fields: spec.fields.map(({ column }) => column),
      ...(transform.shape.layouts ? { layouts: transform.shape.layouts } : {}),
      tasks: spec.labels.map(({ task }) => task),
      grouped: spec.group !== undefined,
      rows: splitRows[split],
      chunks: chunks(),
    });
  };
  return {
    "train.arrow": await writeRows("train"),
    "validation.arrow": await writeRows("validation"),
    "test.arrow": await writeRows("test"),
    "transform.json": await writeDurably(join(folder, "transform.json"), [Buffer.from(JSON.stringify(transform))]),
  };
}
