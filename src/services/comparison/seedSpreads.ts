/** What the runs of a dataset tell of the spread between trainings that differ in the seed alone. */
import { type SeedSpread, pooledVariance } from "../../metrics/seedSpread.ts";
import type { ComparedMetric } from "../../metrics/judge.ts";
import type { MetricPoint, Run } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";

export type SpreadOfCell = (scenario: string, task: string) => Readonly<Record<ComparedMetric, SeedSpread | null>>;

export interface SpreadsWanted {
  readonly cells: readonly { readonly scenarioKey: string; readonly taskKey: string }[];
  readonly split: "validation" | "test";
  /** Degrees of freedom that the compared runs bring along themselves: those of a side but one. */
  readonly ownDegreesOfFreedom: number;
}

/** Below this a spread that is small by chance looks like no spread at all, and Student's quantiles do not make up for it. */
const enough = 3;

/**
 * From runs that SUCCEEDED, other than those compared (they tell their own spread): of the same configurations, and in
 * cells where these tell too little, of all configurations on their datasets.
 */
export async function seedSpreads(
  { runs, metrics }: Pick<Store, "runs" | "metrics">,
  compared: readonly Run[],
  { cells, split, ownDegreesOfFreedom }: SpreadsWanted,
): Promise<SpreadOfCell> {
  const datasets = [...new Set(compared.map(({ datasetId }) => datasetId))];
  const hashes = [...new Set(compared.map(({ configurationHash }) => configurationHash))].filter(Boolean);
  const read = async (of: (datasetId: string) => Promise<Run[]>): Promise<SpreadOfCell> => {
    const groups = repetitions((await Promise.all(datasets.map(of))).flat(), compared);
    const ids = groups.flat().map(({ id }) => id);
    const points = ids.length === 0 ? [] : await metrics.finalByRunIds(ids, { split, names: ["auc", "logloss"] });
    return spreadsWithin(groups, points);
  };
  const like = await read((id) => runs.succeededLike(id, hashes));
  const isEnough: (spread: SeedSpread | null) => boolean = (spread) =>
    (spread?.degreesOfFreedom ?? 0) + ownDegreesOfFreedom >= enough;
  const areEnough = cells.every(({ scenarioKey, taskKey }) => isEnough(like(scenarioKey, taskKey).logloss));
  if (areEnough) return like;
  const all = await read((id) => runs.succeededAgain(id));
  return (scenario, task) => {
    const own = like(scenario, task);
    return isEnough(own.logloss) ? own : all(scenario, task);
  };
}

function spreadsWithin(groups: readonly (readonly Run[])[], points: readonly MetricPoint[]): SpreadOfCell {
  const values = new Map(points.map((point) => [keyOf(point), point.value]));
  return (scenarioKey, taskKey) => {
    const spread = (name: ComparedMetric): SeedSpread | null =>
      pooledVariance(
        groups.map((group) =>
          group.flatMap(({ id: runId }) => values.get(keyOf({ runId, scenarioKey, taskKey, name })) ?? []),
        ),
      );
    return { auc: spread("auc"), logloss: spread("logloss") };
  };
}

/**
 * What differs between repetitions of a training: its weights, and of a prune its search, without which it is only half
 * of a repetition. A replay has the weights of what it replays, and says nothing new.
 */
export function repetitionOf({ id, parentRunId, checkpointHash }: Run): string {
  return parentRunId ?? checkpointHash ?? id;
}

/** Groups of two or more that share dataset and configuration; of the same repetition one, of the compared ones none. */
function repetitions(runs: readonly Run[], compared: readonly Run[]): Run[][] {
  const configurationOf = ({ datasetId, configurationHash }: Run): string => `${datasetId}/${configurationHash}`;
  const placeOf = (run: Run): string => `${configurationOf(run)}/${repetitionOf(run)}`;
  const seen = new Set(compared.map(placeOf));
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    if (run.replayOfRunId !== null || seen.has(placeOf(run))) continue;
    seen.add(placeOf(run));
    const configuration = configurationOf(run);
    groups.set(configuration, [...(groups.get(configuration) ?? []), run]);
  }
  return [...groups.values()].filter(({ length }) => length >= 2);
}

function keyOf(point: Pick<MetricPoint, "runId" | "scenarioKey" | "taskKey" | "name">): string {
  return [point.runId, point.scenarioKey, point.taskKey, point.name].join("/");
}
