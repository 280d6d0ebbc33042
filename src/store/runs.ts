/** Runs of a model: searches, prunes and plain trainings. How a run moves from state to state is in runMoves.ts. */
import { orNotFound } from "./found.ts";
import { rememberResult } from "./idempotency.ts";
import type { IdPrefix } from "./ids.ts";
import { queueRun } from "./queueRun.ts";
import type { NewRun } from "./queueRun.ts";
import type { Run } from "./rows.ts";
import { runOf } from "./rows.ts";
import { runLists } from "./runList.ts";
import type { Database } from "./sqlite.ts";

export type Runs = ReturnType<typeof runStore>;

export function runStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    ...runLists(database),

    /** Writes the run (QUEUED), its job and its first event together. What the run refers to must exist. */
    create(run: NewRun): Promise<Run> {
      return database.$transaction(async (tx) => {
        const queued = await queueRun(tx, newId, run);
        await rememberResult(tx, queued.id);
        return queued;
      });
    },

    /** Throws NotFoundError. */
    async get(id: string): Promise<Run> {
      return runOf(orNotFound(await database.modelRun.findUnique({ where: { id } }), "run", id));
    },

    /**
     * For each of the runs the one that was made like it before (same configuration, dataset and seed, not FAILED,
     * CANCELLED or deleted, the newest), or else a new one, QUEUED. All in one transaction, so that asking twice makes nothing twice.
     */
    findOrCreate(runs: readonly NewRun[]): Promise<{ readonly run: Run; readonly created: boolean }[]> {
      return database.$transaction(async (tx) => {
        const found: { run: Run; created: boolean }[] = [];
        for (const run of runs) {
          const { datasetId, configurationHash, seed } = run;
          const existing = await tx.modelRun.findFirst({
            where: { datasetId, configurationHash, seed, state: { notIn: ["FAILED", "CANCELLED"] }, deletedAt: null },
            orderBy: { id: "desc" },
          });
          found.push(
            existing
              ? { run: runOf(existing), created: false }
              : { run: await queueRun(tx, newId, run), created: true },
          );
        }
        return found;
      });
    },

    async byIds(ids: readonly string[]): Promise<Run[]> {
      return (await database.modelRun.findMany({ where: { id: { in: [...ids] } } })).map(runOf);
    },

    /** Runs that differ from others by seed alone: SUCCEEDED and not deleted, of these configurations on the dataset, oldest first. */
    async succeededLike(datasetId: string, configurationHashes: readonly string[]): Promise<Run[]> {
      const configurationHash = { in: [...configurationHashes] };
      const where = { datasetId, state: "SUCCEEDED", configurationHash, deletedAt: null };
      return (await database.modelRun.findMany({ where, orderBy: { id: "asc" } })).map(runOf);
    },

    /** Of all configurations that have SUCCEEDED on the dataset at least twice: their newest runs that are not deleted, 200 at most. */
    async succeededAgain(datasetId: string): Promise<Run[]> {
      const succeeded = { datasetId, state: "SUCCEEDED", deletedAt: null };
      const repeated = await database.modelRun.groupBy({
        by: ["configurationHash"],
        where: { ...succeeded, configurationHash: { not: "" } },
        having: { configurationHash: { _count: { gt: 1 } } },
      });
      const configurationHash = { in: repeated.map((group) => group.configurationHash) };
      const where = { ...succeeded, configurationHash };
      return (await database.modelRun.findMany({ where, orderBy: { id: "desc" }, take: 200 })).map(runOf);
    },

    /** Runs of these configurations on the dataset with this seed, whatever their state, but not deleted; newest first. */
    async bySeed(datasetId: string, configurationHashes: readonly string[], seed: number): Promise<Run[]> {
      const where = { datasetId, seed, configurationHash: { in: [...configurationHashes] }, deletedAt: null };
      return (await database.modelRun.findMany({ where, orderBy: { id: "desc" } })).map(runOf);
    },

    /** The runs of experiments' trials, oldest first. */
    async byTrialIds(trialIds: readonly string[]): Promise<Run[]> {
      const where = { trialId: { in: [...trialIds] } };
      return (await database.modelRun.findMany({ where, orderBy: { id: "asc" } })).map(runOf);
    },

    /** The repetitions of runs, newest first, without deleted ones. */
    async byReplayedIds(replayOfRunIds: readonly string[]): Promise<Run[]> {
      const where = { replayOfRunId: { in: [...replayOfRunIds] }, deletedAt: null };
      return (await database.modelRun.findMany({ where, orderBy: { id: "desc" } })).map(runOf);
    },

    /** The prunes of searches, newest first, without deleted ones. */
    async byParentIds(parentRunIds: readonly string[]): Promise<Run[]> {
      const where = { parentRunId: { in: [...parentRunIds] }, deletedAt: null };
      return (await database.modelRun.findMany({ where, orderBy: { id: "desc" } })).map(runOf);
    },
  };
}
