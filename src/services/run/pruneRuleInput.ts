/** What a caller may say of a prune, and what it comes to with the search it is for. */
import { z } from "zod";
import type { AutoIfsHead } from "../../model/spec.ts";
import { granularities } from "../../training/pruneRule.ts";
import type { PruneRule } from "../../training/pruneRule.ts";
import { refusal } from "../parseInput.ts";

const share = z.number().min(0).max(1);

/** The members of a request; the schema of the whole request has them among its own. */
export const pruneRuleInput = {
  threshold: z.number().gt(0).lt(1).exactOptional(),
  target: z.strictObject({ auc: share }).exactOptional(),
  granularity: z.enum(granularities).exactOptional(),
  allowedLoss: z
    .strictObject({ auc: share.exactOptional(), logloss: z.number().min(0).exactOptional() })
    .exactOptional(),
};

export type PruneRuleInput = z.output<z.ZodObject<typeof pruneRuleInput>>;

/**
 * `gates`: of the search; `field`: where the members stand. Without threshold and target the threshold is 0.5; the
 * granularity is by default that of the search's gates, with a target CELL. Throws InvalidInputError for what does not go together.
 */
export function completePruneRule(given: PruneRuleInput, gates: AutoIfsHead["gates"], field: string): PruneRule {
  const { threshold, target, granularity = target ? "CELL" : gates, allowedLoss } = given;
  if (threshold !== undefined && target) {
    throw refusal(`${field}.target`, "either a threshold or a target", "both");
  }
  if (granularity === "ROW" && gates === "CELL") {
    throw refusal(`${field}.granularity`, "CELL, as the gates of the search belong to cells", "ROW");
  }
  if (granularity === "ROW" && target) {
    throw refusal(`${field}.granularity`, "CELL, as a target is for flows of whole cells", "ROW");
  }
  if (allowedLoss && Object.keys(allowedLoss).length === 0) {
    throw refusal(`${field}.allowedLoss`, "auc, logloss or both", "{}");
  }
  return {
    granularity,
    ...(target ? { target } : { threshold: threshold ?? 0.5 }),
    ...(allowedLoss ? { allowedLoss } : {}),
  };
}
