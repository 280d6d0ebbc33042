/** Keys: the words by which requests and data name a scenario, a task or the versions of a dataset. */
import { z } from "zod";

export const key = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, "1 to 63 lower-case letters, digits, `-` and `_`, a letter or digit first");

/** Members of what is registered under a key of its own. */
export const keyedMembers = {
  key,
  name: z.string().trim().min(1).max(200).optional(),
  description: z.string().max(2000),
};

export const keyed = z.strictObject(keyedMembers).transform((input) => named(input));

/** Without a name it is called by its key. */
export function named<T extends { readonly key: string; readonly name?: string | undefined }>(input: T) {
  return { ...input, name: input.name ?? input.key };
}
