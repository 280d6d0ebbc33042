/** Hangs words and notes on datasets, runs and models, for people and for tools that look for them. */
import { z } from "zod";
import type { AnnotatedRow } from "../../store/annotations.ts";
import type { Installation } from "../installation.ts";
import { parseInput, refusal, shown, withoutNulls } from "../parseInput.ts";
import { withField } from "../withField.ts";

const tagKey = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_./-]{0,62}$/,
    "1 to 63 lower-case letters, digits, `-`, `_`, `.` and `/`, a letter or digit first",
  );
const change = { id: z.string(), expectedVersion: z.int().exactOptional() };

const tagsInput = z.strictObject({
  ...change,
  tags: z
    .array(z.strictObject({ key: tagKey, value: z.string().max(255) }))
    .min(1)
    .max(50),
});
const keysInput = z.strictObject({ ...change, keys: z.array(z.string()).min(1).max(50) });
const noteInput = z.strictObject({ ...change, note: z.string().max(20_000) });

const fields = { id: "input.id", expectedVersion: "input.expectedVersion", tags: "input.tags" };

type Needs = Pick<Installation, "store">;

/** Throws InvalidInputError, NotFoundError, and ConflictError for another version or too many tags. */
export async function setTags({ store }: Needs, input: unknown): Promise<AnnotatedRow> {
  const parsed = parseInput(tagsInput, withoutNulls(input), "input");
  parsed.tags.forEach(({ key }, index) => {
    if (parsed.tags.findIndex((tag) => tag.key === key) === index) return;
    throw refusal(`input.tags[${index}].key`, "each key once", shown(key));
  });
  return withField(fields, () => store.annotations.setTags(parsed));
}

/** Throws InvalidInputError, NotFoundError, and ConflictError for another version. */
export async function removeTags({ store }: Needs, input: unknown): Promise<AnnotatedRow> {
  const parsed = parseInput(keysInput, withoutNulls(input), "input");
  return withField(fields, () => store.annotations.removeTags(parsed));
}

/** Throws InvalidInputError, NotFoundError, and ConflictError for another version. */
export async function setNote({ store }: Needs, input: unknown): Promise<AnnotatedRow> {
  const parsed = parseInput(noteInput, withoutNulls(input), "input");
  return withField(fields, () => store.annotations.setNote(parsed));
}
