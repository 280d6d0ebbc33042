/** Metric points of runs: per epoch while they train, and of the finished model. */
import { appendEvent } from "./events.ts";
import { assertHeld } from "./lease.ts";
import type { Lease, MetricPoint, Split } from "./rows.ts";
import { metricOf } from "./rows.ts";
import type { Database } from "./sqlite.ts";

/** `low`, `high`, `reason` and `groups` are null by default. */
export type NewMetricPoint = Pick<MetricPoint, "split" | "scenarioKey" | "taskKey" | "name" | "value"> &
  Partial<Pick<MetricPoint, "low" | "high" | "reason" | "groups">>;

/** One metric of a finished model on one split, over all cells. */
export interface MetricSummary {
  readonly runId: string;
  readonly name: string;
  /** Over the cells that have a value; null where none has. */
  readonly mean: number | null;
  readonly lowest: number | null;
  readonly highest: number | null;
  /** Cells that have a value. */
  readonly cells: number;
}

export type Metrics = ReturnType<typeof metricStore>;

export function metricStore(database: Database) {
  return {
    /**
     * Writes the points of one epoch (counted from 1; null: of the finished model) in place of those an earlier attempt
     * left there, and with `summary` the EPOCH event that says so. A value that is not a finite number becomes null with
     * the reason NOT_FINITE. Of the finished model the means over the cells are written too. Throws ConflictError where
     * the lease is lost.
     */
    record(lease: Lease, epoch: number | null, points: readonly NewMetricPoint[], summary?: object): Promise<void> {
      return database.$transaction(async (tx) => {
        await assertHeld(tx, lease);
        const runId = lease.subjectId;
        await tx.metricPoint.deleteMany({ where: { runId, epoch } });
        const data = points.map((point) => ({ ...finite(point), runId, epoch }));
        await tx.metricPoint.createMany({ data });
        if (epoch === null) {
          await tx.runSummary.deleteMany({ where: { runId } });
          await tx.runSummary.createMany({ data: meansOf(data).map((mean) => ({ runId, ...mean })) });
        }
        if (epoch !== null && summary) await appendEvent(tx, runId, "EPOCH", summary);
      });
    },

    /** Of the finished models, on both splits or one; all metrics or those named. */
    async finalByRunIds(
      runIds: readonly string[],
      { split, names }: { readonly split?: Split; readonly names?: readonly string[] } = {},
    ): Promise<MetricPoint[]> {
      const name = names === undefined ? undefined : { in: [...names] };
      const where = { runId: { in: [...runIds] }, epoch: null, split, name };
      return (await database.metricPoint.findMany({ where, orderBy: { id: "asc" } })).map(metricOf);
    },

    /** Of the finished models, one per run and metric that was measured on the split. */
    async summariesByRunIds(runIds: readonly string[], split: Split): Promise<MetricSummary[]> {
      const rows = await database.metricPoint.groupBy({
        by: ["runId", "name"],
        where: { runId: { in: [...runIds] }, epoch: null, split },
        _avg: { value: true },
        _min: { value: true },
        _max: { value: true },
        _count: { value: true },
      });
      return rows.map(({ runId, name, _avg, _min, _max, _count }) => {
        return { runId, name, mean: _avg.value, lowest: _min.value, highest: _max.value, cells: _count.value };
      });
    },

    /** Of all epochs, ascending, then of the finished models; newest runs first. */
    async allByRunIds(runIds: readonly string[]): Promise<MetricPoint[]> {
      const rows = await database.metricPoint.findMany({
        where: { runId: { in: [...runIds] } },
        orderBy: [{ runId: "desc" }, { epoch: { sort: "asc", nulls: "last" } }, { id: "asc" }],
      });
      return rows.map(metricOf);
    },

    /** Of all epochs, ascending, without the finished models. */
    async historyByRunIds(runIds: readonly string[]): Promise<MetricPoint[]> {
      const rows = await database.metricPoint.findMany({
        where: { runId: { in: [...runIds] }, epoch: { not: null } },
        orderBy: [{ epoch: "asc" }, { id: "asc" }],
      });
      return rows.map(metricOf);
    },
  };
}

/** Per split and metric the mean over the cells that have a value: what lists of runs are filtered and ordered by. */
function meansOf(points: readonly Pick<MetricPoint, "split" | "name" | "value">[]) {
  const values = new Map<string, { split: Split; name: string; values: number[] }>();
  for (const { split, name, value } of points) {
    if (value === null) continue;
    const key = `${split} ${name}`;
    const found = values.get(key);
    if (found) found.values.push(value);
    else values.set(key, { split, name, values: [value] });
  }
  return [...values.values()].map(({ split, name, values }) => {
    return { split, name, value: values.reduce((sum, value) => sum + value, 0) / values.length };
  });
}

/** Neither JSON nor every database holds infinities; all members given, so that all points are one statement. */
function finite({ value, low = null, high = null, reason = null, groups = null, ...point }: NewMetricPoint) {
  const exists = value !== null && Number.isFinite(value);
  return {
    ...point,
    value: exists ? value : null,
    low: Number.isFinite(low) ? low : null,
    high: Number.isFinite(high) ? high : null,
    reason: value !== null && !exists ? "NOT_FINITE" : reason,
    groups,
  };
}
