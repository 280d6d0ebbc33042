/** Adds promotion rules to an alias of a model, and takes them away. */
import { z } from "zod";
import type { Model, PromotionRule } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import { aliasName } from "./aliasName.ts";
import { parseInput, withoutNulls } from "../parseInput.ts";
import { withField } from "../withField.ts";

const notWorse = {
  metric: z.enum(["auc", "logloss"]),
  tolerance: z.number().min(0).max(1).default(0),
  beyondNoise: z.boolean().default(true),
};

const terms = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("CELL_METRIC_NOT_WORSE"), ...notWorse }),
  z.strictObject({ kind: z.literal("MEAN_METRIC_NOT_WORSE"), ...notWorse }),
  z.strictObject({
    kind: z.literal("METRIC_AT_LEAST"),
    metric: z.enum(["auc", "gauc", "conditionalAuc", "logloss", "ece", "normalisedEntropy"]),
    over: z.enum(["MEAN", "WORST_CELL"]).default("MEAN"),
    bound: z.number().min(0).max(1000),
  }),
  z.strictObject({ kind: z.literal("LATENCY_P99_BELOW"), milliseconds: z.number().min(0.001).max(60_000) }),
  z.strictObject({ kind: z.literal("SAME_DATASET") }),
]);

const ruleInput = z.strictObject({
  model: z.string(),
  alias: aliasName,
  name: z.string().trim().min(1).max(200).optional(),
  rule: terms,
});

/** The alias need not be there yet. Throws InvalidInputError, NotFoundError or ConflictError. */
export async function addPromotionRule({ store }: Pick<Installation, "store">, input: unknown): Promise<PromotionRule> {
  const { name, ...rule } = parseInput(ruleInput, withoutNulls(input), "input");
  const paths = { model: "input.model", alias: "input.alias" };
  return withField(paths, () => store.promotionRules.add({ name: name ?? rule.rule.kind, ...rule }));
}

/** Throws NotFoundError, or ConflictError where the model is deleted. */
export async function removePromotionRule({ store }: Pick<Installation, "store">, input: unknown): Promise<Model> {
  const { rule } = parseInput(z.strictObject({ rule: z.string() }), input, "input");
  return withField({ id: "input.rule", model: "input.rule" }, () => store.promotionRules.remove(rule));
}
