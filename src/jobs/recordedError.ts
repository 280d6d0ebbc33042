/** What is kept of a thrown value in the database, where anybody may read it. */
import { ProductError } from "../errors.ts";
import type { RecordedError } from "../store/rows.ts";

/** Expected errors as they are; anything else as INTERNAL with its message, without its stack. */
export function recordedError(error: unknown): RecordedError {
  if (error instanceof ProductError) return { code: error.code, message: error.message, detail: error.detail };
  return { code: "INTERNAL", message: error instanceof Error ? error.message : String(error), detail: {} };
}
