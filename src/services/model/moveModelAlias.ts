/** Makes an alias stand for a version of a model, or takes it away. */
import { z } from "zod";
import type { Model, ModelAlias } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import type { AliasMove } from "../../store/models.ts";
import type { Comparer } from "../comparison/comparer.ts";
import type { Installation } from "../installation.ts";
import { aliasName } from "./aliasName.ts";
import { brokenRule, judgedMove } from "./checkPromotion.ts";
import { parseInput, withoutNulls } from "../parseInput.ts";
import { withField } from "../withField.ts";

const wholeNumber = z.int().min(0).max(2147483647);

const aliasInput = z.strictObject({ model: z.string(), alias: aliasName, expectedVersion: wholeNumber.optional() });

const paths = Object.fromEntries(
  ["model", "alias", "version", "expectedVersion"].map((field) => [field, `input.${field}`]),
);

/**
 * An alias that stands for the version already stays as it is. Throws NotFoundError, or ConflictError: also where a promotion
 * rule of the alias is broken, and where it was moved, or got a rule more, while the rules were judged.
 */
export async function setModelAlias(
  { store }: Pick<Installation, "store">,
  comparer: Comparer,
  input: unknown,
): Promise<{ readonly model: Model; readonly alias: ModelAlias | null }> {
  const withVersion = aliasInput.extend({ version: wholeNumber });
  const { alias: name, ...move } = parseInput(withVersion, withoutNulls(input), "input");
  return withField(paths, async () => store.models.moveAlias(await judged(store, comparer, { name, ...move })));
}

/** The move, to be made only where nothing else has been done meanwhile. */
async function judged(
  store: Store,
  comparer: Comparer,
  move: AliasMove & { readonly version: number },
): Promise<AliasMove> {
  const planned = await store.models.plannedMove(move);
  const before = planned.before?.number ?? 0;
  // What changes nothing, or will be refused anyway, is not worth a comparison.
  if (before === move.version) return { ...move, expectedVersion: move.expectedVersion ?? before };
  if ((move.expectedVersion ?? before) !== before) return { ...move, heldRules: [] };
  const check = await judgedMove(store, comparer, move.name, planned);
  if (!check.holds) {
    const error = brokenRule(check, "version");
    const rules = check.rules.filter(({ holds }) => !holds).map(({ rule }) => rule.id);
    const content = { alias: move.name, version: move.version, before: planned.before?.number ?? null, rules };
    await store.promotionRules.announceRefusal(planned.model, { ...content, message: error.message });
    throw error;
  }
  const heldRules = check.rules.map(({ rule }) => rule.id);
  return { ...move, ...(heldRules.length > 0 ? { expectedVersion: before } : {}), heldRules };
}

/** Throws NotFoundError where there is no such alias, or ConflictError. */
export async function removeModelAlias({ store }: Pick<Installation, "store">, input: unknown): Promise<Model> {
  const { alias: name, ...move } = parseInput(aliasInput, withoutNulls(input), "input");
  const { model } = await withField(paths, () => store.models.moveAlias({ name, ...move, version: null }));
  return model;
}
