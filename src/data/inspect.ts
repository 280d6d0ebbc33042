/** A quick look at a file before anything is made of it: is it there, what is it, which columns. Reads no rows. */
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { readCsvHeader } from "./csvHeader.ts";
import { inputFault } from "./faults.ts";
import { formatOf } from "./fileFormat.ts";
import { parquetColumns } from "./parquet.ts";

/**
 * The names of the columns of a .csv, .csv.gz or .parquet file, in their order. Throws InvalidInputError with
 * `fieldPath` when there is no such file or it has another ending, and with what is wrong when it cannot be read.
 */
export async function inspectFile(file: string, fieldPath = "file"): Promise<{ readonly columns: readonly string[] }> {
  const format = formatOf(file);
  if (format === undefined) {
    throw inputFault(fieldPath, "a file whose name ends in .csv, .csv.gz or .parquet", basename(file));
  }
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (!found?.isFile()) {
    throw inputFault(fieldPath, "a file", `${basename(file)}, which is ${found ? "not a file" : "not there"}`);
  }
  if (found.size === 0) {
    throw inputFault(fieldPath, "a file with a header and rows", `${basename(file)}, which is empty`);
  }
  if (format === "PARQUET") return { columns: (await parquetColumns(file)).map((column) => column.name) };
  return { columns: await readCsvHeader(file) };
}
