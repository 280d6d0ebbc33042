/** Runs of a model: searches, prunes and plain trainings. How a run moves from state to state is in runMoves.ts. */
import { orNotFound } from "./found.ts";
import type { IdPrefix } from "./ids.ts";
import type { Page, PageRequest } from "./page.ts";
import { pageOf, pageQuery } from "./page.ts";
import { queueRun } from "./queueRun.ts";
import type { NewRun } from "./queueRun.ts";
import type { Run, RunKind, RunState } from "./rows.ts";
import { runOf } from "./rows.ts";
import type { Database } from "./sqlite.ts";

export interface RunFilter {
  readonly states?: readonly RunState[];
  readonly kind?: RunKind;
  readonly datasetId?: string;
  readonly backboneName?: string;
}

export type Runs = ReturnType<typeof runStore>;

export function runStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    /** Writes the run (QUEUED), its job and its first event together. What the run refers to must exist. */
    create(run: NewRun): Promise<Run> {
      return database.$transaction((tx) => queueRun(tx, newId, run));
    },

    /** Throws NotFoundError. */
    async get(id: string): Promise<Run> {
      return runOf(orNotFound(await database.modelRun.findUnique({ where: { id } }), "run", id));
    },

    /**
     * For each of the runs the one that was made like it before (same configuration, dataset and seed, not FAILED or
     * CANCELLED, the newest), or else a new one, QUEUED. All in one transaction, so that asking twice makes nothing twice.
     */
    findOrCreate(runs: readonly NewRun[]): Promise<{ readonly run: Run; readonly created: boolean }[]> {
      return database.$transaction(async (tx) => {
        const found: { run: Run; created: boolean }[] = [];
        for (const run of runs) {
          const { datasetId, configurationHash, seed } = run;
          const existing = await tx.modelRun.findFirst({
            where: { datasetId, configurationHash, seed, state: { notIn: ["FAILED", "CANCELLED"] } },
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

    /** Newest first. */
    async list({ states, kind, datasetId, backboneName, ...page }: PageRequest & RunFilter): Promise<Page<Run>> {
      const query = pageQuery(page, "desc");
      const state = states === undefined ? undefined : { in: [...states] };
      const rows = await database.modelRun.findMany({
        ...query,
        where: { ...query.where, state, kind, datasetId, backboneName },
      });
      return pageOf(rows.map(runOf), page);
    },

    async byIds(ids: readonly string[]): Promise<Run[]> {
      return (await database.modelRun.findMany({ where: { id: { in: [...ids] } } })).map(runOf);
    },

    /** Runs that differ from others by seed alone: SUCCEEDED, of these configurations on the dataset, oldest first. */
    async succeededLike(datasetId: string, configurationHashes: readonly string[]): Promise<Run[]> {
      const where = { datasetId, state: "SUCCEEDED", configurationHash: { in: [...configurationHashes] } };
      return (await database.modelRun.findMany({ where, orderBy: { id: "asc" } })).map(runOf);
    },

    /** Of all configurations that have SUCCEEDED on the dataset at least twice: their newest runs, 200 at most. */
    async succeededAgain(datasetId: string): Promise<Run[]> {
      const succeeded = { datasetId, state: "SUCCEEDED" };
      const repeated = await database.modelRun.groupBy({
        by: ["configurationHash"],
        where: { ...succeeded, configurationHash: { not: "" } },
        having: { configurationHash: { _count: { gt: 1 } } },
      });
      const configurationHash = { in: repeated.map((group) => group.configurationHash) };
      const where = { ...succeeded, configurationHash };
      return (await database.modelRun.findMany({ where, orderBy: { id: "desc" }, take: 200 })).map(runOf);
    },

    /** Runs of these configurations on the dataset with this seed, whatever their state; newest first. */
    async bySeed(datasetId: string, configurationHashes: readonly string[], seed: number): Promise<Run[]> {
      const where = { datasetId, seed, configurationHash: { in: [...configurationHashes] } };
      return (await database.modelRun.findMany({ where, orderBy: { id: "desc" } })).map(runOf);
    },

    /** The runs of experiments' trials, oldest first. */
    async byTrialIds(trialIds: readonly string[]): Promise<Run[]> {
      const where = { trialId: { in: [...trialIds] } };
      return (await database.modelRun.findMany({ where, orderBy: { id: "asc" } })).map(runOf);
    },

    /** The repetitions of runs, newest first. */
    async byReplayedIds(replayOfRunIds: readonly string[]): Promise<Run[]> {
      const where = { replayOfRunId: { in: [...replayOfRunIds] } };
      return (await database.modelRun.findMany({ where, orderBy: { id: "desc" } })).map(runOf);
    },

    /** Newest first. */
    async byDatasetIds(datasetIds: readonly string[]): Promise<Run[]> {
      const where = { datasetId: { in: [...datasetIds] } };
      return (await database.modelRun.findMany({ where, orderBy: { id: "desc" } })).map(runOf);
    },

    /** The prunes of searches, newest first. */
    async byParentIds(parentRunIds: readonly string[]): Promise<Run[]> {
      const where = { parentRunId: { in: [...parentRunIds] } };
      return (await database.modelRun.findMany({ where, orderBy: { id: "desc" } })).map(runOf);
    },
  };
}
