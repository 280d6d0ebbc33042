/** Registers a model under a new key; what it is made of are its versions. */
import type { Model } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import { keyed } from "../key.ts";
import { parseInput, refusal, shown, withoutNulls } from "../parseInput.ts";
import { withField } from "../withField.ts";

/** Throws InvalidInputError for a key that is none, ConflictError for one that is taken. */
export async function registerModel({ store }: Pick<Installation, "store">, input: unknown): Promise<Model> {
  const model = parseInput(keyed, withoutNulls(input), "input");
  // Where a model is named by id or key, the one must not pass for the other.
  if (/^mdl_[0-9a-f]{32}$/.test(model.key)) {
    throw refusal("input.key", "a key that does not look like an id", shown(model.key));
  }
  return withField({ key: "input.key" }, () => store.models.create(model));
}
