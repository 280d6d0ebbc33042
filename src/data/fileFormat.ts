/** Which kind of data file: told by its name, never guessed from its bytes. */

export type FileFormat = "CSV" | "CSV_GZ" | "PARQUET";

/** The format, by the name of the file; undefined for any other ending. */
export function formatOf(file: string): FileFormat | undefined {
  const name = file.toLowerCase();
  if (name.endsWith(".csv")) return "CSV";
  if (name.endsWith(".csv.gz")) return "CSV_GZ";
  if (name.endsWith(".parquet")) return "PARQUET";
  return undefined;
}
