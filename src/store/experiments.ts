/**
 * Experiments and their trials. An experiment is RUNNING from the request on, until its job ADVANCE_EXPERIMENT finds
 * nothing left to do (FINISHED) or somebody ends it (CANCELLED). Its trials:
 *
 *   WAITING → RUNNING (its first run is queued) → FINISHED (its last run has succeeded) | FAILED (a run has)
 *   WAITING, RUNNING → STOPPED (given up: by the experiment, its budget, or whoever cancelled its run)
 *
 * What is to be done next is decided in src/services. Here it is done, in one transaction, by whoever holds the job:
 * each step only where it still applies, so nothing is begun twice, whatever has happened since the decision.
 */
import { setImmediate as turn } from "node:timers/promises";
import { ConflictError } from "../errors.ts";
import { Prisma } from "./client/client.ts";
import { cancelExperimentInside } from "./endExperiment.ts";
import { experimentLists } from "./experimentList.ts";
import { orNotFound } from "./found.ts";
import { rememberResult } from "./idempotency.ts";
import type { IdPrefix } from "./ids.ts";
import { newJob } from "./jobs.ts";
import { assertHeld } from "./lease.ts";
import { assertRunnable } from "./notDeleted.ts";
import { announce } from "./outbox.ts";
import { queueRun } from "./queueRun.ts";
import type { NewRun } from "./queueRun.ts";
import type { Experiment, Lease, MetricPoint, Run, RunKind, RunState, Trial, TrialState } from "./rows.ts";
import { experimentOf, metricOf, trialOf } from "./rows.ts";
import { cancelInside, resumeInside } from "./runMoves.ts";
import type { Database, DatabaseTransaction } from "./sqlite.ts";

export interface NewExperiment {
  readonly name: string;
  readonly spec: unknown;
  /** In the order in which they are to begin. */
  readonly trials: readonly Pick<Trial, "configuration" | "datasetId" | "seed">[];
}

/** A trial with its runs, without what only matters when it is begun. */
export interface TrialStanding extends Omit<Trial, "configuration" | "experimentId"> {
  /** Oldest first. */
  readonly runs: readonly RunStanding[];
}

export type RunStanding = Pick<Run, "id" | "kind" | "state">;

/** Something that is to happen to a trial. */
export type TrialMove =
  /** WAITING → RUNNING, with its first run. */
  | { readonly kind: "BEGIN"; readonly trialId: string; readonly run: NewRun }
  /** Its next run, a PRUNE. */
  | { readonly kind: "PRUNE"; readonly trialId: string; readonly run: NewRun }
  /** Its PAUSED run goes on, to be paused again after `pauseAtEpoch` epochs; null: it goes through. */
  | {
      readonly kind: "PROMOTE";
      readonly trialId: string;
      readonly runId: string;
      readonly rung: number;
      readonly pauseAtEpoch: number | null;
    }
  /** RUNNING → STOPPED; its run, if it has an open one, is cancelled. */
  | { readonly kind: "STOP"; readonly trialId: string; readonly runId: string | null }
  /** RUNNING → FINISHED or FAILED. */
  | { readonly kind: "END"; readonly trialId: string; readonly state: "FINISHED" | "FAILED" };

export interface Advance {
  readonly moves: readonly TrialMove[];
  /** No trial that waits is begun any more: all are STOPPED. */
  readonly stopWaiting: boolean;
}

/** Rows of eight columns in one statement, which takes 999 parameters. */
const rowsAtOnce = 100;

export type Experiments = ReturnType<typeof experimentStore>;

export function experimentStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    ...experimentLists(database),

    /** Writes the experiment (RUNNING), its trials (WAITING) and its job together. */
    create({ name, spec, trials }: NewExperiment): Promise<Experiment> {
      return database.$transaction(async (tx) => {
        for (const datasetId of new Set(trials.map((trial) => trial.datasetId))) {
          await assertRunnable(tx, { datasetId, runIds: [] });
        }
        const id = newId("exp");
        const createdAt = new Date();
        const experiment = await tx.experiment.create({
          data: { id, name, state: "RUNNING", spec: JSON.stringify(spec), createdAt },
        });
        const rows = trials.map(({ configuration, datasetId, seed }, index) => {
          const columns = [newId("trl"), id, index + 1, JSON.stringify(configuration), datasetId, seed, "WAITING", 0];
          return Prisma.sql`(${Prisma.join(columns)})`;
        });
        // As `createMany` does it, in a fifth of its time, and others have their turn in between.
        for (let start = 0; start < rows.length; start += rowsAtOnce) {
          await turn();
          await tx.$executeRaw`
            INSERT INTO "Trial" ("id", "experimentId", "number", "configuration", "datasetId", "seed", "state", "rung")
            VALUES ${Prisma.join(rows.slice(start, start + rowsAtOnce))}`;
        }
        await tx.job.create({ data: newJob(newId("job"), "ADVANCE_EXPERIMENT", id, createdAt) });
        await rememberResult(tx, id);
        return experimentOf(experiment);
      });
    },

    /** Throws NotFoundError. */
    async get(id: string): Promise<Experiment> {
      return experimentOf(orNotFound(await database.experiment.findUnique({ where: { id } }), "experiment", id));
    },

    async byIds(ids: readonly string[]): Promise<Experiment[]> {
      return (await database.experiment.findMany({ where: { id: { in: [...ids] } } })).map(experimentOf);
    },

    async trialsByIds(ids: readonly string[]): Promise<Trial[]> {
      return (await database.trial.findMany({ where: { id: { in: [...ids] } } })).map(trialOf);
    },

    /** By number. */
    async trialsByExperimentIds(experimentIds: readonly string[]): Promise<Trial[]> {
      const where = { experimentId: { in: [...experimentIds] } };
      return (await database.trial.findMany({ where, orderBy: { id: "asc" } })).map(trialOf);
    },

    /** Of one experiment, by number: those in the states, or the first of them. */
    async standings(experimentId: string, states: readonly TrialState[], first?: number): Promise<TrialStanding[]> {
      const ofState = { experimentId, state: { in: [...states] } };
      const trials = await database.trial.findMany({
        where: ofState,
        select: { id: true, number: true, datasetId: true, seed: true, state: true, rung: true },
        orderBy: { id: "asc" },
        ...(first === undefined ? {} : { take: first }),
      });
      // Not by their trials' ids: a statement takes 999 parameters.
      const runs = await database.modelRun.findMany({
        where: { trial: ofState },
        select: { id: true, kind: true, state: true, trialId: true },
        orderBy: { id: "asc" },
      });
      const byTrial = new Map<string, RunStanding[]>(trials.map(({ id }) => [id, []]));
      for (const { id, kind, state, trialId } of runs) {
        byTrial.get(trialId!)?.push({ id, kind: kind as RunKind, state: state as RunState });
      }
      return trials.map((trial) => ({ ...trial, state: trial.state as TrialState, runs: byTrial.get(trial.id)! }));
    },

    /** One metric on the validation split, of all its runs but prunes: after some epochs, and of the finished models. */
    async validationPoints(experimentId: string, name: string, epochs: readonly number[]): Promise<MetricPoint[]> {
      const run = { trial: { experimentId }, kind: { not: "PRUNE" } };
      const at = { OR: [{ epoch: { in: [...epochs] } }, { epoch: null }] };
      const where = { run, split: "validation", name, ...at };
      return (await database.metricPoint.findMany({ where, orderBy: { id: "asc" } })).map(metricOf);
    },

    /** Runs that were ever made for the experiment. */
    runCount(experimentId: string): Promise<number> {
      return database.modelRun.count({ where: { trial: { experimentId } } });
    },

    /**
     * Does what was decided and gives the job back, not to be taken before `delayMs` have passed; where no trial is left
     * that waits or runs, the experiment is FINISHED and the job DONE instead. Throws ConflictError where the lease is
     * lost.
     */
    advance(lease: Lease, { moves, stopWaiting }: Advance, delayMs: number): Promise<void> {
      return database.$transaction(async (tx) => {
        await assertHeld(tx, lease);
        const { jobId, subjectId: experimentId } = lease;
        for (const move of moves) await moved(tx, newId, move);
        if (stopWaiting) {
          await tx.trial.updateMany({ where: { experimentId, state: "WAITING" }, data: { state: "STOPPED" } });
        }
        const left = await tx.trial.count({ where: { experimentId, state: { in: ["WAITING", "RUNNING"] } } });
        if (left === 0) {
          const { name } = await tx.experiment.update({
            where: { id: experimentId },
            data: { state: "FINISHED", finishedAt: new Date() },
          });
          const content = { experiment: experimentId, name, state: "FINISHED" };
          await announce(tx, "experiment.finished", experimentId, content);
          await tx.job.update({ where: { id: jobId }, data: { state: "DONE", leaseExpiresAt: null } });
          return;
        }
        // An experiment may outlive many workers; only those that die one after the other count as attempts.
        const again = { state: "QUEUED", owner: null, leaseExpiresAt: null, attempt: 1, deaths: 0 };
        const availableAt = new Date(Date.now() + delayMs);
        await tx.job.update({ where: { id: jobId }, data: { ...again, availableAt } });
      });
    },

    /**
     * Ends it before its time: CANCELLED, its runs keep the best checkpoints they had. Throws NotFoundError, or
     * ConflictError where it has ended.
     */
    cancel(id: string): Promise<Experiment> {
      return database.$transaction(async (tx) => {
        const cancelled = await cancelExperimentInside(tx, id);
        const row = orNotFound(await tx.experiment.findUnique({ where: { id } }), "experiment", id);
        if (!cancelled) throw hasEnded(experimentOf(row));
        await tx.job.updateMany({ where: { subjectId: id }, data: { state: "DONE", leaseExpiresAt: null } });
        return experimentOf(row);
      });
    },
  };
}

async function moved(tx: DatabaseTransaction, newId: (prefix: IdPrefix) => string, move: TrialMove): Promise<void> {
  const { trialId: id } = move;
  switch (move.kind) {
    case "BEGIN": {
      const begun = await tx.trial.updateMany({ where: { id, state: "WAITING" }, data: { state: "RUNNING" } });
      if (begun.count > 0) await queueRun(tx, newId, { ...move.run, trialId: id });
      return;
    }
    case "PRUNE": {
      const open = await tx.trial.count({ where: { id, state: "RUNNING", runs: { none: { kind: "PRUNE" } } } });
      if (open > 0) await queueRun(tx, newId, { ...move.run, trialId: id });
      return;
    }
    case "PROMOTE": {
      const { runId, rung, pauseAtEpoch } = move;
      const resumed = await resumeInside(tx, runId, pauseAtEpoch);
      if (resumed) await tx.trial.update({ where: { id }, data: { rung } });
      return;
    }
    case "STOP": {
      // A run that has ended meanwhile may be what the trial was for.
      if (move.runId !== null && !(await cancelInside(tx, move.runId))) return;
      await tx.trial.updateMany({ where: { id, state: "RUNNING" }, data: { state: "STOPPED" } });
      return;
    }
    case "END":
      await tx.trial.updateMany({ where: { id, state: "RUNNING" }, data: { state: move.state } });
      return;
    default:
      move satisfies never;
  }
}

function hasEnded({ id, state }: Experiment): ConflictError {
  return new ConflictError(`experiment ${id}: expected an experiment in state RUNNING, but it is ${state}`, {
    field: "id",
    expected: "an experiment in state RUNNING",
    received: state,
  });
}
