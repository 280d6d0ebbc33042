/** What became of each information flow of a run, per cell. */
import { assertHeld } from "./lease.ts";
import type { FlowStatistic, Lease } from "./rows.ts";
import { flowOf } from "./rows.ts";
import type { Database } from "./sqlite.ts";

export type NewFlowStatistic = Omit<FlowStatistic, "runId">;

export type Flows = ReturnType<typeof flowStore>;

export function flowStore(database: Database) {
  return {
    /** Writes the run's statistics in place of earlier ones. Throws ConflictError where the lease is lost. */
    record(lease: Lease, statistics: readonly NewFlowStatistic[]): Promise<void> {
      return database.$transaction(async (tx) => {
        await assertHeld(tx, lease);
        const runId = lease.subjectId;
        await tx.flowStatistic.deleteMany({ where: { runId } });
        await tx.flowStatistic.createMany({ data: statistics.map((statistic) => ({ ...statistic, runId })) });
      });
    },

    async byRunIds(runIds: readonly string[]): Promise<FlowStatistic[]> {
      return (await database.flowStatistic.findMany({ where: { runId: { in: [...runIds] } } })).map(flowOf);
    },
  };
}
