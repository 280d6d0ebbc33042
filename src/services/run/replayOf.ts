/** What a replay shows: whether the same weights and the same figures came out, and if not, how far apart they are. */
import type { Dataset, MetricPoint, Run, Split } from "../../store/rows.ts";
import type { MetricName } from "../../metrics/measurement.ts";
import { versionsOf } from "../comparison/protocolOf.ts";

export interface Replay {
  /** The run that was repeated. */
  readonly of: Run;
  /** Bitwise. */
  readonly sameWeights: boolean;
  /** All figures of the finished model, to the last digit. */
  readonly sameMetrics: boolean;
  readonly differingMetrics: number;
  /** The largest few. */
  readonly differences: MetricDifferenceRow[];
  /** Those that differ. */
  readonly versions: VersionDifference[];
  readonly sameData: boolean;
}

export interface MetricDifferenceRow extends Pick<MetricPoint, "scenarioKey" | "taskKey"> {
  readonly split: Split;
  readonly name: MetricName;
  /** Null where the metric does not exist. */
  readonly original: number | null;
  readonly replayed: number | null;
  /** Replayed − original; null where either does not exist. */
  readonly difference: number | null;
}

export interface VersionDifference {
  readonly name: string;
  /** Null where it was not recorded. */
  readonly original: string | null;
  readonly replayed: string | null;
}

/** A run that SUCCEEDED, with its dataset and the figures of the finished model on all splits. */
export interface FinishedRun {
  readonly run: Run;
  readonly dataset: Dataset;
  readonly metrics: readonly MetricPoint[];
}

const shownDifferences = 10;

export function replayOf(original: FinishedRun, replayed: FinishedRun): Replay {
  const differences = metricDifferences(original.metrics, replayed.metrics);
  return {
    of: original.run,
    sameWeights: original.run.checkpointHash === replayed.run.checkpointHash,
    sameMetrics: differences.length === 0,
    differingMetrics: differences.length,
    differences: differences.slice(0, shownDifferences),
    versions: versionDifferences(original.run, replayed.run),
    sameData: original.dataset.contentHash === replayed.dataset.contentHash,
  };
}

/** Largest first; those where one of the two does not exist before all others. */
function metricDifferences(originals: readonly MetricPoint[], replays: readonly MetricPoint[]): MetricDifferenceRow[] {
  const replayedBy = new Map(replays.map((point) => [keyOf(point), point]));
  const originalBy = new Map(originals.map((point) => [keyOf(point), point]));
  const all = [...originals, ...replays.filter((point) => !originalBy.has(keyOf(point)))];
  const differing = all.filter(
    (point) => figureOf(originalBy.get(keyOf(point))) !== figureOf(replayedBy.get(keyOf(point))),
  );
  return differing
    .map((point) => {
      const original = originalBy.get(keyOf(point))?.value ?? null;
      const replayed = replayedBy.get(keyOf(point))?.value ?? null;
      const difference = original === null || replayed === null ? null : replayed - original;
      const { split, scenarioKey, taskKey, name } = point;
      return { split, scenarioKey, taskKey, name: name as MetricName, original, replayed, difference };
    })
    .sort((a, b) => sizeOf(b) - sizeOf(a));
}

function keyOf({ split, scenarioKey, taskKey, name }: MetricPoint): string {
  return [split, scenarioKey, taskKey, name].join("/");
}

/** Everything that is known of a figure, as text. */
function figureOf(point: MetricPoint | undefined): string | undefined {
  return point && [point.value, point.low, point.high, point.reason, point.groups].join("/");
}

function sizeOf({ difference }: MetricDifferenceRow): number {
  return difference === null ? Number.MAX_VALUE : Math.abs(difference);
}

function versionDifferences(original: Run, replayed: Run): VersionDifference[] {
  const [before, now] = [versionsOf(original), versionsOf(replayed)];
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names
    .filter((name) => before[name] !== now[name])
    .map((name) => ({ name, original: before[name] ?? null, replayed: now[name] ?? null }));
}
