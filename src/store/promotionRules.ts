/** Promotion rules: what must hold before an alias of a model may stand for another version. Kept as data; services judge. */
import { ConflictError } from "../errors.ts";
import { rememberResult } from "./idempotency.ts";
import type { IdPrefix } from "./ids.ts";
import { modelForWork } from "./modelForWork.ts";
import { orNotFound } from "./found.ts";
import { announce } from "./outbox.ts";
import type { Model, PromotionRule } from "./rows.ts";
import { promotionRuleOf } from "./rows.ts";
import type { RuleTerms } from "./ruleTerms.ts";
import type { Database } from "./sqlite.ts";

export interface NewPromotionRule {
  /** Id of the model, or its key. */
  readonly model: string;
  readonly alias: string;
  readonly name: string;
  readonly rule: RuleTerms;
}

/** One alias with more rules than this is beyond what anybody reads. */
const mostRules = 20;

export type PromotionRules = ReturnType<typeof promotionRuleStore>;

export function promotionRuleStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    /** Throws NotFoundError for the model, ConflictError where it is deleted or the alias has as many rules as it may have. */
    add({ model: idOrKey, alias, name, rule }: NewPromotionRule): Promise<PromotionRule> {
      return database.$transaction(async (tx) => {
        const model = await modelForWork(tx, idOrKey);
        if ((await tx.promotionRule.count({ where: { modelId: model.id, alias } })) >= mostRules) throw tooMany(alias);
        const data = { id: newId("prl"), modelId: model.id, alias, name, rule: JSON.stringify(rule) };
        const row = await tx.promotionRule.create({ data: { ...data, createdAt: new Date() } });
        await rememberResult(tx, row.id);
        return promotionRuleOf(row);
      });
    },

    /** Gives the model without it. Throws NotFoundError for the rule, ConflictError where its model is deleted. */
    remove(id: string): Promise<Model> {
      return database.$transaction(async (tx) => {
        const row = orNotFound(await tx.promotionRule.findUnique({ where: { id } }), "promotion rule", id);
        const model = await modelForWork(tx, row.modelId);
        // Another request may have been quicker.
        const { count } = await tx.promotionRule.deleteMany({ where: { id } });
        if (count === 0) orNotFound(null, "promotion rule", id);
        return model;
      });
    },

    async byIds(ids: readonly string[]): Promise<PromotionRule[]> {
      return (await database.promotionRule.findMany({ where: { id: { in: [...ids] } } })).map(promotionRuleOf);
    },

    /** By alias, of each the oldest first. */
    async byModelIds(modelIds: readonly string[]): Promise<PromotionRule[]> {
      const where = { modelId: { in: [...modelIds] } };
      const rows = await database.promotionRule.findMany({ where, orderBy: [{ alias: "asc" }, { id: "asc" }] });
      return rows.map(promotionRuleOf);
    },

    /** Oldest first. */
    async byAlias(modelId: string, alias: string): Promise<PromotionRule[]> {
      const rows = await database.promotionRule.findMany({ where: { modelId, alias }, orderBy: { id: "asc" } });
      return rows.map(promotionRuleOf);
    },

    /** Tells the webhooks that an alias was not moved. */
    announceRefusal(model: Model, content: object): Promise<void> {
      const event = { model: model.id, key: model.key, ...content };
      return database.$transaction((tx) => announce(tx, "model.promotion_refused", model.id, event));
    },
  };
}

function tooMany(alias: string): ConflictError {
  const expected = `at most ${mostRules} rules for one alias`;
  return new ConflictError(`alias: expected ${expected}, but ${alias} has as many`, {
    field: "alias",
    expected,
    received: String(mostRules + 1),
    hint: "remove one that is not needed any more",
  });
}
