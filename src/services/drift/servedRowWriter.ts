/** Writes rows that wait for it at the same time in one transaction: its price, a wait for the disk, is theirs together. */
import type { ServedRow } from "../../store/servedRows.ts";
import type { Store } from "../../store/store.ts";

export interface ServedRowWriter {
  /** Kept when the rows are on the disk; broken where they could not be written. */
  write(rows: readonly ServedRow[]): Promise<void>;
  /** When nothing waits any more. */
  idle(): Promise<void>;
}

interface Waiting {
  readonly rows: readonly ServedRow[];
  resolve(): void;
  reject(error: unknown): void;
}

/** Rows in one transaction: others write in between. */
const mostRows = 2000;

export function createServedRowWriter({ served }: Pick<Store, "served">): ServedRowWriter {
  const line: Waiting[] = [];
  let work: Promise<void> | null = null;

  const writeAll = async (): Promise<void> => {
    while (line.length > 0) {
      const together = taken(line);
      try {
        await served.keepRows(newestOf(together.flatMap(({ rows }) => rows)));
        for (const { resolve } of together) resolve();
      } catch (error) {
        for (const { reject } of together) reject(error);
      }
    }
    work = null;
  };

  return {
    write: (rows) =>
      new Promise<void>((resolve, reject) => {
        line.push({ rows, resolve, reject });
        work ??= writeAll();
      }),
    idle: () => work ?? Promise.resolve(),
  };
}

/** At least one. */
function taken(line: Waiting[]): Waiting[] {
  let [count, rows] = [1, line[0]!.rows.length];
  while (count < line.length && rows + line[count]!.rows.length <= mostRows) rows += line[count++]!.rows.length;
  return line.splice(0, count);
}

/** Of what is the same row of the same version, the last. */
function newestOf(rows: readonly ServedRow[]): ServedRow[] {
  return [...new Map(rows.map((row) => [`${row.versionId} ${row.rowId}`, row])).values()];
}
