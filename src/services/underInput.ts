/** Gives the errors of lower layers the path that their field has in the request. */
import { ProductError } from "../errors.ts";

/** What `work` gives; an expected error about `field` is thrown again as one about `input.field`. */
export async function underInput<T>(work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProductError) || error.detail.field === undefined) throw error;
    throw new ProductError(error.code, error.message, { ...error.detail, field: `input.${error.detail.field}` }, error);
  }
}
