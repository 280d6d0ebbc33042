/** Faults of the disk or the database, which say nothing of the work that met them: it may be tried again. */

const fileFaults = new Set(["ENOSPC", "EDQUOT", "EIO", "EROFS", "EMFILE", "ENFILE"]);
/** Of Prisma: no answer in time, no transaction in time. */
const databaseFaults = new Set(["P1008", "P2024", "P2028"]);

export function isStorageFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === "string" && (fileFaults.has(code) || databaseFaults.has(code) || code.startsWith("SQLITE_")))
    return true;
  if (/SQLITE_(BUSY|LOCKED|FULL|IOERR)|database is locked|disk is full/i.test(error.message)) return true;
  return error.cause !== undefined && isStorageFault(error.cause);
}
