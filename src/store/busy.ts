/**
 * Waiting for another connection's write. SQLite's own wait (its busy timeout) would hold the whole thread, and with it
 * everything a server does meanwhile; this one leaves the thread free.
 */
import { setTimeout as pause } from "node:timers/promises";

const sqliteBusy = 5;
const giveUpAfterMs = 10_000;

/** SQLite's own wait, in milliseconds: most writes of others end within it. */
export const shortWaitMs = 2;

/**
 * The result of `work`, which is done again while it finds the database busy, for 10 seconds at most; then its error is
 * thrown. `work` must have changed nothing where it is refused: one statement, or one transaction.
 */
export async function whenFree<T>(work: () => T | Promise<T>): Promise<T> {
  const giveUpAt = Date.now() + giveUpAfterMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error) || Date.now() > giveUpAt) throw error;
      // At random, so that those who wait do not come back together.
      await pause(1 + Math.random() * 20);
    }
  }
}

function isBusy(error: unknown): boolean {
  // The low byte is the error; above it is the kind of it (SQLITE_BUSY_RECOVERY ...).
  const { rawCode } = error as { rawCode?: number };
  return rawCode !== undefined && (rawCode & 0xff) === sqliteBusy;
}
