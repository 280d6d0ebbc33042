/** Errors between threads: an expected one arrives as what it was, any other as an Error with the same text and stack. */
import { ProductError } from "../../errors.ts";
import type { SentError } from "./poolMessages.ts";

export function sentError(error: unknown): SentError {
  if (error instanceof ProductError) return { code: error.code, message: error.message, detail: error.detail };
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error), detail: {} };
}

export function receivedError({ code, message, detail }: SentError): Error {
  return code ? new ProductError(code, message, detail) : new Error(message);
}
