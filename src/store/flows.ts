/** What became of each information flow of a run, per cell: its gates while they were searched, its end, and its worth. */
import { assertHeld } from "./lease.ts";
import type { FlowEffect, FlowStatistic, GateStatistic, Lease } from "./rows.ts";
import { flowEffectOf, flowOf } from "./rows.ts";
import type { Database, DatabaseTransaction } from "./sqlite.ts";

/** `entropy`, `saturation` and `meanLogit` are null by default: not measured. */
export type NewFlowStatistic = Omit<FlowStatistic, "runId" | "entropy" | "saturation" | "meanLogit"> &
  Partial<Pick<FlowStatistic, "entropy" | "saturation" | "meanLogit">>;

export type NewGateStatistic = Omit<GateStatistic, "id" | "runId" | "epoch" | "temperature">;

export type NewFlowEffect = Omit<FlowEffect, "id" | "runId">;

export type Flows = ReturnType<typeof flowStore>;

export function flowStore(database: Database) {
  /** What the run's worker writes, in one transaction. Throws ConflictError where the lease is lost. */
  const held = (lease: Lease, write: (tx: DatabaseTransaction, runId: string) => Promise<unknown>): Promise<void> =>
    database.$transaction(async (tx) => {
      await assertHeld(tx, lease);
      await write(tx, lease.subjectId);
    });

  return {
    /** Writes the statistics of the run's end in place of earlier ones. Throws ConflictError where the lease is lost. */
    record(lease: Lease, statistics: readonly NewFlowStatistic[]): Promise<void> {
      return held(lease, async (tx, runId) => {
        await tx.flowStatistic.deleteMany({ where: { runId } });
        await tx.flowStatistic.createMany({ data: statistics.map((statistic) => ({ ...statistic, runId })) });
      });
    },

    /**
     * Writes the statistics after an epoch (counted from 1; 0: before the first step) in place of those an earlier
     * attempt left there. Throws ConflictError where the lease is lost.
     */
    recordEpoch(
      lease: Lease,
      at: Pick<GateStatistic, "epoch" | "temperature">,
      statistics: readonly NewGateStatistic[],
    ): Promise<void> {
      return held(lease, async (tx, runId) => {
        await tx.gateStatistic.deleteMany({ where: { runId, epoch: at.epoch } });
        await tx.gateStatistic.createMany({ data: statistics.map((statistic) => ({ ...statistic, runId, ...at })) });
      });
    },

    /** Writes what the flows are worth in place of earlier figures. Throws ConflictError where the lease is lost. */
    recordEffects(lease: Lease, effects: readonly NewFlowEffect[]): Promise<void> {
      return held(lease, async (tx, runId) => {
        await tx.flowEffect.deleteMany({ where: { runId } });
        const data = effects.map(({ outAuc, outLogloss, inAuc, inLogloss, ...effect }) => ({
          ...effect,
          runId,
          outAuc: JSON.stringify(outAuc),
          outLogloss: JSON.stringify(outLogloss),
          inAuc: JSON.stringify(inAuc),
          inLogloss: JSON.stringify(inLogloss),
        }));
        await tx.flowEffect.createMany({ data });
      });
    },

    async byRunIds(runIds: readonly string[]): Promise<FlowStatistic[]> {
      return (await database.flowStatistic.findMany({ where: { runId: { in: [...runIds] } } })).map(flowOf);
    },

    /** Of all epochs, ascending, in the order they were recorded. */
    async historyByRunIds(runIds: readonly string[]): Promise<GateStatistic[]> {
      const rows = await database.gateStatistic.findMany({
        where: { runId: { in: [...runIds] } },
        orderBy: [{ epoch: "asc" }, { id: "asc" }],
      });
      return rows.map(flowOf);
    },

    /** In the order they were recorded. */
    async effectsByRunIds(runIds: readonly string[]): Promise<FlowEffect[]> {
      const where = { runId: { in: [...runIds] } };
      return (await database.flowEffect.findMany({ where, orderBy: { id: "asc" } })).map(flowEffectOf);
    },
  };
}
