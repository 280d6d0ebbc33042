/** Makes an alias stand for a version of a model, or takes it away. */
import { z } from "zod";
import type { Model, ModelAlias } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import { parseInput, withoutNulls } from "../parseInput.ts";
import { withField } from "../withField.ts";

const wholeNumber = z.int().min(0).max(2147483647);

const alias = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/, "1 to 63 lower-case letters, digits, `-` and `_`, a letter first")
  .refine((name) => name !== "latest", "another word than `latest`, which is always the newest version");

const aliasInput = z.strictObject({ model: z.string(), alias, expectedVersion: wholeNumber.optional() });

const paths = Object.fromEntries(
  ["model", "alias", "version", "expectedVersion"].map((field) => [field, `input.${field}`]),
);

/** An alias that stands for the version already stays as it is. Throws NotFoundError or ConflictError. */
export async function setModelAlias(
  { store }: Pick<Installation, "store">,
  input: unknown,
): Promise<{ readonly model: Model; readonly alias: ModelAlias | null }> {
  const withVersion = aliasInput.extend({ version: wholeNumber });
  const { alias: name, ...move } = parseInput(withVersion, withoutNulls(input), "input");
  return withField(paths, () => store.models.moveAlias({ name, ...move }));
}

/** Throws NotFoundError where there is no such alias, or ConflictError. */
export async function removeModelAlias({ store }: Pick<Installation, "store">, input: unknown): Promise<Model> {
  const { alias: name, ...move } = parseInput(aliasInput, withoutNulls(input), "input");
  const { model } = await withField(paths, () => store.models.moveAlias({ name, ...move, version: null }));
  return model;
}
