/** Whether a version may take the place of the one an alias stands for: every promotion rule of the alias, with its numbers. */
import { ConflictError } from "../../errors.ts";
import type { PlannedMove } from "../../store/models.ts";
import type { ModelVersion } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import type { Comparer } from "../comparison/comparer.ts";
import type { Installation } from "../installation.ts";
import { parseInput } from "../parseInput.ts";
import { aliasName } from "./aliasName.ts";
import { judgeRule } from "./judgeRule.ts";
import type { RuleVerdict } from "./judgeRule.ts";
import { versionPair } from "./versionPair.ts";

export interface PromotionCheck {
  readonly alias: string;
  readonly version: ModelVersion;
  /** What the alias stands for now; null where there is no such alias. */
  readonly comparedWith: ModelVersion | null;
  /** True where all rules do. */
  readonly holds: boolean;
  /** By the age of the rule. */
  readonly rules: RuleVerdict[];
}

/** Changes nothing. Throws NotFoundError, or ConflictError where the model is deleted. */
export async function checkPromotion(
  { store }: Pick<Installation, "store">,
  comparer: Comparer,
  { model, version, ...input }: { readonly model: string; readonly alias: string; readonly version: number },
): Promise<PromotionCheck> {
  const alias = parseInput(aliasName, input.alias, "alias");
  return judgedMove(store, comparer, alias, await store.models.plannedMove({ model, name: alias, version }));
}

export async function judgedMove(
  store: Store,
  comparer: Comparer,
  alias: string,
  { model, before, version }: PlannedMove,
): Promise<PromotionCheck> {
  const rules = await store.promotionRules.byAlias(model.id, alias);
  // What it stands for already is not worse than itself.
  const comparedTo = before?.id === version.id ? null : before;
  const [candidate, baseline] = await Promise.all([
    store.runs.get(version.runId),
    comparedTo && store.runs.get(comparedTo.runId),
  ]);
  const pair = await versionPair(store, comparer, { candidate, baseline });
  const verdicts = await Promise.all(rules.map((rule) => judgeRule(rule, pair)));
  return { alias, version, comparedWith: before, holds: verdicts.every(({ holds }) => holds), rules: verdicts };
}

/** Names the oldest rule that is broken, with the numbers that break it. */
export function brokenRule({ alias, version, rules }: PromotionCheck, field: string): ConflictError {
  const [first, ...others] = rules.filter(({ holds }) => !holds);
  const { id, name, rule } = first!.rule;
  const said = name === rule.kind ? id : `${id} "${name}"`;
  const more =
    others.length === 0
      ? ""
      : `; ${others.length} more of its rules are broken: ${others.map((one) => one.rule.id).join(", ")}`;
  const expected = `a version that keeps the promotion rules of ${alias}`;
  const but = `version ${version.number} breaks ${said} (${rule.kind}): ${first!.message}${more}`;
  return new ConflictError(`${field}: expected ${expected}, but ${but}`, {
    field,
    expected,
    received: `version ${version.number}`,
    hint: "ask `checkPromotion` for every rule with its numbers",
  });
}
