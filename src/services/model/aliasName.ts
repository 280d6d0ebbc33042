/** The words that may stand for a version of a model. */
import { z } from "zod";

export const aliasName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/, "1 to 63 lower-case letters, digits, `-` and `_`, a letter first")
  .refine((name) => name !== "latest", "another word than `latest`, which is always the newest version");
