/** Keys: the words by which requests and data name a scenario, a task or the versions of a dataset. */
import { z } from "zod";

export const key = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, "1 to 63 lower-case letters, digits, `-` and `_`, a letter or digit first");

/** What is registered under a key of its own. */
export const keyed = z
  .strictObject({ key, name: z.string().trim().min(1).max(200).optional(), description: z.string().max(2000) })
  .transform((input) => ({ ...input, name: input.name ?? input.key }));
