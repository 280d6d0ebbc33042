/** What a run recorded after each epoch besides its metrics: what the tasks' losses weighed, what its backbone said of rows. */
import { assertHeld } from "./lease.ts";
import type { BackboneStatistic, Lease, LossWeight } from "./rows.ts";
import { backboneStatisticOf, lossWeightOf } from "./rows.ts";
import type { Database } from "./sqlite.ts";

type EpochAt = Pick<LossWeight, "phase" | "epoch">;

export type NewLossWeight = Pick<LossWeight, "taskKey" | "weight">;
export type NewBackboneStatistic = Pick<BackboneStatistic, "name" | "scenarioKey" | "values">;

export type EpochRecords = ReturnType<typeof epochRecordStore>;

export function epochRecordStore(database: Database) {
  return {
    /** In place of those an earlier attempt left for the epoch. Throws ConflictError where the lease is lost. */
    recordLossWeights(lease: Lease, at: EpochAt, weights: readonly NewLossWeight[]): Promise<void> {
      return database.$transaction(async (tx) => {
        await assertHeld(tx, lease);
        const place = { runId: lease.subjectId, ...at };
        await tx.lossWeight.deleteMany({ where: place });
        await tx.lossWeight.createMany({ data: weights.map((weight) => ({ ...weight, ...place })) });
      });
    },

    /** In place of those an earlier attempt left for the epoch. Throws ConflictError where the lease is lost. */
    recordStatistics(lease: Lease, at: EpochAt, statistics: readonly NewBackboneStatistic[]): Promise<void> {
      return database.$transaction(async (tx) => {
        await assertHeld(tx, lease);
        const place = { runId: lease.subjectId, ...at };
        await tx.backboneStatistic.deleteMany({ where: place });
        const data = statistics.map(({ values, ...rest }) => ({ ...rest, ...place, values: JSON.stringify(values) }));
        await tx.backboneStatistic.createMany({ data });
      });
    },

    /** Of all epochs, ascending, in the order of the tasks. */
    async lossWeightsByRunIds(runIds: readonly string[]): Promise<LossWeight[]> {
      const rows = await database.lossWeight.findMany({
        where: { runId: { in: [...runIds] } },
        orderBy: [{ epoch: "asc" }, { id: "asc" }],
      });
      return rows.map(lossWeightOf);
    },

    /** Of all epochs, ascending, in the order they were recorded. */
    async statisticsByRunIds(runIds: readonly string[]): Promise<BackboneStatistic[]> {
      const rows = await database.backboneStatistic.findMany({
        where: { runId: { in: [...runIds] } },
        orderBy: [{ epoch: "asc" }, { id: "asc" }],
      });
      return rows.map(backboneStatisticOf);
    },
  };
}
