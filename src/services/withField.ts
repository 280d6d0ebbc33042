/** Gives the errors of lower layers the path that their field has in the request. */
import { ProductError } from "../errors.ts";

/**
 * What `work` gives. An expected error about a field in `paths` is thrown again as one about its path there, for example
 * `{ id: "input.run" }`.
 */
export async function withField<T>(paths: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const field = error instanceof ProductError && error.detail.field && paths[error.detail.field];
    if (!field) throw error;
    const before = `${error.detail.field}:`;
    const message = error.message.startsWith(before) ? `${field}:${error.message.slice(before.length)}` : error.message;
    throw new ProductError(error.code, message, { ...error.detail, field }, error);
  }
}
