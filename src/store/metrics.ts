/** Metric points of runs: per epoch while they train, and of the finished model. */
import { assertHeld } from "./lease.ts";
import type { Lease, MetricPoint } from "./rows.ts";
import { metricOf } from "./rows.ts";
import type { Database } from "./sqlite.ts";

export type NewMetricPoint = Pick<MetricPoint, "split" | "scenarioKey" | "taskKey" | "name" | "value">;

export type Metrics = ReturnType<typeof metricStore>;

export function metricStore(database: Database) {
  return {
    /**
     * Writes the points of one epoch (counted from 1; null: of the finished model) in place of those an earlier attempt
     * left there. Throws ConflictError where the lease is lost.
     */
    record(lease: Lease, epoch: number | null, points: readonly NewMetricPoint[]): Promise<void> {
      return database.$transaction(async (tx) => {
        await assertHeld(tx, lease);
        const runId = lease.subjectId;
        await tx.metricPoint.deleteMany({ where: { runId, epoch } });
        await tx.metricPoint.createMany({ data: points.map((point) => ({ ...point, runId, epoch })) });
      });
    },

    /** Of the finished models. */
    async finalByRunIds(runIds: readonly string[]): Promise<MetricPoint[]> {
      const where = { runId: { in: [...runIds] }, epoch: null };
      return (await database.metricPoint.findMany({ where, orderBy: { id: "asc" } })).map(metricOf);
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
