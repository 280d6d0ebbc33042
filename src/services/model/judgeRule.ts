/** Whether a promotion rule holds for a candidate, and by which numbers. */
import { ConflictError } from "../../errors.ts";
import type { PromotionRule, Run } from "../../store/rows.ts";
import type { NotWorse, RuleTerms } from "../../store/ruleTerms.ts";
import { modelSizeOf } from "../stored.ts";
import type { VersionPair } from "./versionPair.ts";

/** A number that was looked at. */
export interface MeasuredRow {
  /** Null for the mean over the cells, and for what is no matter of cells. */
  readonly scenarioKey: string | null;
  readonly taskKey: string | null;
  readonly candidate: number | null;
  readonly baseline: number | null;
  /** Candidate − baseline, with its interval. */
  readonly difference: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly holds: boolean;
}

export interface RuleVerdict {
  readonly rule: PromotionRule;
  readonly holds: boolean;
  /** Why, in one sentence without a full stop. */
  readonly message: string;
  readonly measured: MeasuredRow[];
}

type Finding = Omit<RuleVerdict, "rule">;
type Terms<Kind extends RuleTerms["kind"]> = Extract<RuleTerms, { readonly kind: Kind }>;

const judges: { readonly [Kind in RuleTerms["kind"]]: (terms: Terms<Kind>, pair: VersionPair) => Promise<Finding> } = {
  CELL_METRIC_NOT_WORSE: async (terms, pair) => found(terms.metric, await differences(terms, pair), terms),
  MEAN_METRIC_NOT_WORSE: async (terms, pair) => {
    const mean = meanDifference(terms, await differences(terms, pair));
    return found(terms.metric, mean === null ? [] : [mean], terms);
  },
  METRIC_AT_LEAST: atLeast,
  LATENCY_P99_BELOW: async ({ milliseconds }, { candidate }) => {
    const latency = p99Of(candidate);
    if (latency === null)
      return { holds: false, message: "the latency of the candidate was not measured", measured: [] };
    const holds = latency < milliseconds;
    const message = `the 99th percentile of a single row is ${shown(latency)} ms, ${holds ? "below" : "not below"} ${milliseconds} ms`;
    return { holds, message, measured: [{ ...noCell, candidate: latency, holds }] };
  },
  SAME_DATASET: async (_, { candidateDataset: own, baselineDataset: other }) => {
    if (other === null) return nothingBefore;
    const holds = own.id === other.id || (own.contentHash !== null && own.contentHash === other.contentHash);
    return {
      holds,
      message: `the datasets are ${own.id} and ${other.id}, ${holds ? "with the same" : "with other"} content`,
      measured: [],
    };
  },
};

/** A rule that cannot be judged does not hold. */
export async function judgeRule(rule: PromotionRule, pair: VersionPair): Promise<RuleVerdict> {
  const isRelative = rule.rule.kind !== "METRIC_AT_LEAST" && rule.rule.kind !== "LATENCY_P99_BELOW";
  if (isRelative && pair.baseline === null) return { rule, ...nothingBefore };
  try {
    const judge = judges[rule.rule.kind] as (terms: RuleTerms, pair: VersionPair) => Promise<Finding>;
    return { rule, ...(await judge(rule.rule, pair)) };
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    return { rule, holds: false, message: error.message, measured: [] };
  }
}

const nothingBefore: Finding = { holds: true, message: "there is no other version to be worse than", measured: [] };
const noCell = { scenarioKey: null, taskKey: null, baseline: null, difference: null, low: null, high: null } as const;

/** Of each cell. One without a difference, because its rows are of one class or there are none, says nothing. */
async function differences(terms: NotWorse, pair: VersionPair): Promise<MeasuredRow[]> {
  return (await pair.comparison()).flatMap(({ scenarioKey, taskKey, [terms.metric]: cell }) => {
    const { candidate, baseline, difference, low, high, reason } = cell;
    const place = { scenarioKey, taskKey, candidate, baseline, difference, low, high };
    if (reason === "NOT_FINITE") return [{ ...place, holds: false }];
    return difference === null ? [] : [{ ...place, holds: !isWorse(terms, { difference, low, high }) }];
  });
}

/**
 * All cells together lie in their intervals with 95 %, and where they do the mean lies between the means of the ends: an interval
 * that is rather too wide. Null where no cell tells anything.
 */
function meanDifference(terms: NotWorse, cells: readonly MeasuredRow[]): MeasuredRow | null {
  if (cells.length === 0) return null;
  const mean = (member: "candidate" | "baseline" | "difference" | "low" | "high"): number | null => {
    const values = cells.map((cell) => cell[member]);
    return values.includes(null) ? null : values.reduce<number>((sum, value) => sum + value!, 0) / values.length;
  };
  const [difference, low, high] = [mean("difference"), mean("low"), mean("high")];
  const holds = difference !== null && !isWorse(terms, { difference, low, high });
  const sides = { candidate: mean("candidate"), baseline: mean("baseline") };
  return { scenarioKey: null, taskKey: null, ...sides, difference, low, high, holds };
}

interface Interval {
  readonly difference: number;
  readonly low: number | null;
  readonly high: number | null;
}

function isWorse(
  { metric, tolerance, beyondNoise }: Pick<NotWorse, "metric" | "tolerance" | "beyondNoise">,
  { difference, low, high }: Interval,
): boolean {
  const worseBy = (change: number): number => (lessIsBetter(metric) ? change : -change);
  if (worseBy(difference) <= tolerance) return false;
  const betterEnd = lessIsBetter(metric) ? low : high;
  return !beyondNoise || (betterEnd !== null && worseBy(betterEnd) > tolerance);
}

async function atLeast({ metric, over, bound }: Terms<"METRIC_AT_LEAST">, pair: VersionPair): Promise<Finding> {
  const points = (await pair.figures()).filter(({ name }) => name === metric);
  const isGood = (value: number): boolean => (lessIsBetter(metric) ? value <= bound : value >= bound);
  const cells = points.flatMap(({ scenarioKey, taskKey, value, reason }): MeasuredRow[] => {
    if (value === null && reason !== "NOT_FINITE") return [];
    return [{ ...noCell, scenarioKey, taskKey, candidate: value, holds: value !== null && isGood(value) }];
  });
  if (over === "WORST_CELL" || cells.length === 0) return found(metric, cells, { bound });
  const values = cells.map(({ candidate }) => candidate);
  const candidate = values.includes(null) ? null : values.reduce<number>((sum, v) => sum + v!, 0) / values.length;
  return found(metric, [{ ...noCell, candidate, holds: candidate !== null && isGood(candidate) }], { bound });
}

/** Says of the worst of what was measured why the rule is broken. */
function found(
  metric: string,
  measured: MeasuredRow[],
  terms: Partial<Pick<NotWorse, "tolerance" | "beyondNoise">> & { readonly bound?: number },
): Finding {
  if (measured.length === 0) return { holds: false, message: `no cell has a figure of ${metric}`, measured };
  const broken = measured.filter(({ holds }) => !holds);
  if (broken.length === 0) {
    return { holds: true, message: `${metric} holds ${placesOf(measured)}`, measured };
  }
  const badness = ({ candidate, difference }: MeasuredRow): number =>
    candidate === null ? Infinity : (difference ?? candidate) * (lessIsBetter(metric) ? 1 : -1);
  const worst = broken.reduce((a, b) => (badness(b) > badness(a) ? b : a));
  const more = broken.length === 1 ? "" : `; so it is in ${broken.length} of ${measured.length} cells`;
  return { holds: false, message: `${whyBroken(metric, worst, terms)}${more}`, measured };
}

function whyBroken(
  metric: string,
  { scenarioKey, taskKey, candidate, baseline, difference, low, high }: MeasuredRow,
  {
    tolerance,
    beyondNoise,
    bound,
  }: { readonly tolerance?: number; readonly beyondNoise?: boolean; readonly bound?: number },
): string {
  const where = scenarioKey === null ? `the mean ${metric}` : `${metric} of ${scenarioKey} × ${taskKey}`;
  if (candidate === null) return `${where} is not a finite number`;
  if (bound !== undefined)
    return `${where} is ${shown(candidate)}, ${lessIsBetter(metric) ? "above" : "below"} ${bound}`;
  const interval = beyondNoise ? ` (interval of the difference ${shown(low!)} to ${shown(high!)})` : "";
  const worse = shown(Math.abs(difference!));
  return `${where} is ${shown(candidate)} against ${shown(baseline!)}, worse by ${worse}${interval}, more than ${tolerance}`;
}

const placesOf = (measured: readonly MeasuredRow[]): string =>
  measured[0]!.scenarioKey === null ? "in the mean over the cells" : `in ${measured.length} cells`;

const lessIsBetter = (metric: string): boolean =>
  metric === "logloss" || metric === "ece" || metric === "normalisedEntropy";

/** Of a single row as it is served, in milliseconds; null where it was not measured. */
function p99Of(run: Run): number | null {
  return modelSizeOf(run)?.after.batch1P99Ms ?? null;
}

/** Six digits are more than the intervals tell. */
const shown = (value: number): string => String(Number(value.toPrecision(6)));
