/** An experiment as a caller describes it, member by member; what goes together with what is checked in createExperiment.ts. */
import { z } from "zod";
import { selectionParameters } from "../../training/hyperParameters.ts";
import { parseInput, refusal, shown, withoutNulls } from "../parseInput.ts";
import { modelInput } from "../run/plannedModel.ts";
import { retrainInput } from "../run/plannedPrune.ts";
import { pruneRuleInput } from "../run/pruneRuleInput.ts";
import { budget, seed } from "../run/runSettings.ts";

const { engine: _, ...model } = modelInput;

const name = z.string().trim().min(1).max(200);
const count = z.int().min(1);

const configuration = z.strictObject({
  name,
  ...model,
  prune: z.strictObject({ ...pruneRuleInput, retrain: retrainInput.default({}) }).exactOptional(),
});

const range = z.strictObject({
  low: z.number(),
  high: z.number(),
  scale: z.enum(["LINEAR", "LOG"]),
  integer: z.boolean(),
});

const parameter = z.strictObject({
  path: z.string().max(200),
  values: z.array(z.unknown()).min(1).max(1000).exactOptional(),
  range: range.exactOptional(),
});

const { metric, over, weights } = selectionParameters.shape;
const objective = z.strictObject({ metric, over, weights }).partial();

const sweep = z.strictObject({
  kind: z.enum(["GRID", "RANDOM", "ASHA"]),
  parameters: z.array(parameter).min(1).max(20),
  trials: count.max(10_000).exactOptional(),
  seed,
  objective: objective.default({}),
  rungs: z
    .strictObject({
      minimumEpochs: count.max(1000),
      reductionFactor: count.min(2).max(100),
      maximumEpochs: count.max(1000),
    })
    .exactOptional(),
});

const input = z.strictObject({
  name,
  configurations: z.array(configuration).min(1).max(100),
  datasets: z.array(z.string()).min(1).max(100),
  seeds: z.array(seed).min(1).max(1000),
  runBudget: budget.exactOptional(),
  budget: z.strictObject({ seconds: count.exactOptional(), runs: count.exactOptional() }).exactOptional(),
  sweep: sweep.exactOptional(),
});

export type ExperimentInput = z.output<typeof input>;
export type SweepInput = z.output<typeof sweep>;
export type SweepParameter = z.output<typeof parameter>;

/** Throws InvalidInputError with the path of what is wrong. */
export function parseExperiment(given: unknown): ExperimentInput {
  const parsed = parseInput(input, withoutOuterNulls(given), "input");
  assertDistinct(
    parsed.configurations.map((one) => one.name),
    (index) => `input.configurations[${index}].name`,
  );
  assertDistinct(parsed.datasets, (index) => `input.datasets[${index}]`);
  assertDistinct(parsed.seeds, (index) => `input.seeds[${index}]`);
  return parsed;
}

interface Given {
  readonly configurations: readonly { readonly backbone: object }[];
  readonly sweep?: { readonly parameters: readonly { readonly values?: unknown }[] } | null;
}

/** Nulls are absent members, except in the caller's own JSON: the configurations of backbones, and values of a sweep. */
function withoutOuterNulls(given: unknown): unknown {
  const { configurations, sweep, ...rest } = given as Given;
  const bare = <T extends object>(value: T): T => withoutNulls(value) as T;
  return {
    ...bare(rest),
    configurations: configurations.map(({ backbone, ...members }) => ({ ...bare(members), backbone })),
    ...(sweep ? { sweep: { ...bare(sweep), parameters: sweep.parameters.map(withoutNullRange) } } : {}),
  };
}

function withoutNullRange({ values, ...members }: { readonly values?: unknown }): object {
  return { ...(withoutNulls(members) as object), ...(values === null || values === undefined ? {} : { values }) };
}

function assertDistinct(values: readonly unknown[], field: (index: number) => string): void {
  const index = values.findIndex((value, i) => values.indexOf(value) < i);
  if (index >= 0) throw refusal(field(index), "each only once", `${shown(values[index])} again`);
}
