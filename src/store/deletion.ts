/**
 * Deleting and restoring. What is deleted stays as it is and can be read by its id; lists leave it out, and nothing new is made
 * of it (notDeleted.ts). An experiment takes its runs along, which bear the instant of its deletion, and so brings them back.
 */
import { ConflictError } from "../errors.ts";
import { orNotFound } from "./found.ts";
import type { Dataset, Experiment, Model, Run, Scenario, Task } from "./rows.ts";
import { datasetOf, experimentOf, runOf } from "./rows.ts";
import type { Database, DatabaseTransaction } from "./sqlite.ts";

export type DeletableRow = Scenario | Task | Dataset | Run | Experiment | Model;

interface Kind {
  readonly what: string;
  find(tx: DatabaseTransaction, id: string): Promise<DeletableRow | null>;
  /** What of it, or of the work on it, has not ended; null where all has. */
  atWork(tx: DatabaseTransaction, id: string): Promise<string | null>;
  mark(tx: DatabaseTransaction, id: string, deletedAt: Date | null): Promise<unknown>;
  /** What goes along, and comes back: those that bear `before` bear `deletedAt` from now on. */
  markParts?(tx: DatabaseTransaction, id: string, before: Date | null, deletedAt: Date | null): Promise<unknown>;
}

const openRun = { state: { in: ["QUEUED", "RUNNING", "PAUSED"] } };
const openBatch = { state: { in: ["QUEUED", "RUNNING"] } };
/** A run that is at work, or of which something is made at the moment. */
const busyRun = {
  OR: [openRun, { childRuns: { some: openRun } }, { replays: { some: openRun } }, { batches: { some: openBatch } }],
};
const nothing = () => Promise.resolve(null);

/** By the letters before `_` in an id. */
const kinds: Readonly<Record<string, Kind>> = {
  scn: {
    what: "scenario",
    find: (tx, id) => tx.scenario.findUnique({ where: { id } }),
    atWork: nothing,
    mark: (tx, id, deletedAt) => tx.scenario.update({ where: { id }, data: { deletedAt } }),
  },
  tsk: {
    what: "task",
    find: (tx, id) => tx.task.findUnique({ where: { id } }),
    atWork: nothing,
    mark: (tx, id, deletedAt) => tx.task.update({ where: { id }, data: { deletedAt } }),
  },
  ds: {
    what: "dataset",
    find: async (tx, id) => maybe(await tx.dataset.findUnique({ where: { id } }), datasetOf),
    async atWork(tx, id) {
      if ((await tx.dataset.count({ where: { id, status: "IMPORTING" } })) > 0) return `the import of ${id}`;
      const run = await tx.modelRun.findFirst({ where: { datasetId: id, ...openRun }, select: { id: true } });
      if (run) return run.id;
      const trial = { datasetId: id, experiment: { state: "RUNNING" } };
      return (await tx.trial.findFirst({ where: trial, select: { experimentId: true } }))?.experimentId ?? null;
    },
    mark: (tx, id, deletedAt) => tx.dataset.update({ where: { id }, data: { deletedAt } }),
  },
  run: {
    what: "run",
    find: async (tx, id) => maybe(await tx.modelRun.findUnique({ where: { id } }), runOf),
    async atWork(tx, id) {
      if ((await tx.modelRun.count({ where: { id, ...openRun } })) > 0) return id;
      if ((await tx.modelRun.count({ where: { id, ...busyRun } })) > 0) return "something that is made from it";
      const trial = { experiment: { state: "RUNNING" }, runs: { some: { id } } };
      return (await tx.trial.findFirst({ where: trial, select: { experimentId: true } }))?.experimentId ?? null;
    },
    mark: (tx, id, deletedAt) => tx.modelRun.update({ where: { id }, data: { deletedAt } }),
  },
  exp: {
    what: "experiment",
    find: async (tx, id) => maybe(await tx.experiment.findUnique({ where: { id } }), experimentOf),
    async atWork(tx, id) {
      if ((await tx.experiment.count({ where: { id, state: "RUNNING" } })) > 0) return id;
      const run = { trial: { experimentId: id }, ...busyRun };
      const busy = await tx.modelRun.findFirst({ where: run, select: { id: true } });
      return busy && `${busy.id}, or something that is made from it,`;
    },
    mark: (tx, id, deletedAt) => tx.experiment.update({ where: { id }, data: { deletedAt } }),
    markParts: (tx, experimentId, before, deletedAt) =>
      tx.modelRun.updateMany({ where: { trial: { experimentId }, deletedAt: before }, data: { deletedAt } }),
  },
  mdl: {
    what: "model",
    find: (tx, id) => tx.model.findUnique({ where: { id } }),
    atWork: nothing,
    mark: (tx, id, deletedAt) => tx.model.update({ where: { id }, data: { deletedAt } }),
  },
};

export type Deletion = ReturnType<typeof deletionStore>;

export function deletionStore(database: Database) {
  /** Gives it as it is after that. */
  const marked = async (
    tx: DatabaseTransaction,
    { id, deletedAt: before }: DeletableRow,
    { find, mark, markParts }: Kind,
    deletedAt: Date | null,
  ): Promise<DeletableRow> => {
    await mark(tx, id, deletedAt);
    await markParts?.(tx, id, before, deletedAt);
    return (await find(tx, id))!;
  };

  return {
    /**
     * Of a scenario, task, dataset, run, experiment or model. One that is deleted stays as it is. Throws NotFoundError, or
     * ConflictError where it, or work on it, has not ended.
     */
    delete(id: string): Promise<DeletableRow> {
      return database.$transaction(async (tx) => {
        const { kind, row } = await found(tx, id);
        if (row.deletedAt !== null) return row;
        const busy = await kind.atWork(tx, id);
        if (busy) throw isAtWork(kind.what, id, busy);
        return marked(tx, row, kind, new Date());
      });
    },

    /** One that is not deleted stays as it is. Throws NotFoundError. */
    restore(id: string): Promise<DeletableRow> {
      return database.$transaction(async (tx) => {
        const { kind, row } = await found(tx, id);
        return row.deletedAt === null ? row : marked(tx, row, kind, null);
      });
    },
  };
}

async function found(tx: DatabaseTransaction, id: string): Promise<{ kind: Kind; row: DeletableRow }> {
  const prefix = id.split("_", 1)[0]!;
  const kind = Object.hasOwn(kinds, prefix) ? kinds[prefix] : undefined;
  const what = kind?.what ?? "scenario, task, dataset, run, experiment or model";
  const row = orNotFound((await kind?.find(tx, id)) ?? null, what, id);
  return { kind: kind!, row };
}

function maybe<Stored, Row>(stored: Stored | null, read: (stored: Stored) => Row): Row | null {
  return stored === null ? null : read(stored);
}

function isAtWork(what: string, id: string, busy: string): ConflictError {
  const expected = `all work on the ${what} to have ended`;
  return new ConflictError(`id: expected ${expected}, but ${busy} has not`, {
    field: "id",
    expected,
    received: id,
    hint: "wait until it has ended, or cancel it",
  });
}
