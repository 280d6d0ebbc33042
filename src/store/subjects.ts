/** What a job is about, by its kind, and how that moves when the job moves. */
import { endBatchInside } from "./endBatch.ts";
import { cancelExperimentInside } from "./endExperiment.ts";
import { appendEvent } from "./events.ts";
import { announce } from "./outbox.ts";
import type { JobKind, Lease, RecordedError } from "./rows.ts";
import type { DatabaseTransaction } from "./sqlite.ts";

interface Subject {
  claimed(tx: DatabaseTransaction, lease: Lease, times: { now: Date; leaseExpiresAt: Date }): Promise<void>;
  extended(tx: DatabaseTransaction, lease: Lease, leaseExpiresAt: Date): Promise<void>;
  /** `attempt` is the one to come. Gives the state of the job: PAUSED where nobody is to take it before it is resumed. */
  requeued(tx: DatabaseTransaction, lease: Lease, attempt: number): Promise<"QUEUED" | "PAUSED">;
  failed(tx: DatabaseTransaction, lease: Lease, error: RecordedError): Promise<void>;
}

const nothing = () => Promise.resolve();
const queued = () => Promise.resolve("QUEUED" as const);

export const subjects: { readonly [K in JobKind]: Subject } = {
  /** A dataset is IMPORTING from the request on, whoever works on it. */
  IMPORT_DATASET: {
    claimed: nothing,
    extended: nothing,
    requeued: queued,
    async failed(tx, { subjectId: id }, error) {
      const data = { status: "FAILED", error: JSON.stringify(error) };
      const { name } = await tx.dataset.update({ where: { id }, data, select: { name: true } });
      const { code, message } = error;
      await announce(tx, "dataset.failed", id, { dataset: id, name, status: "FAILED", error: { code, message } });
    },
  },

  TRAIN: {
    async claimed(tx, { subjectId: id, owner, attempt }, { now, leaseExpiresAt }) {
      await tx.modelRun.update({ where: { id }, data: { state: "RUNNING", leaseOwner: owner, leaseExpiresAt } });
      // Of a run that is tried again the start is that of the first attempt.
      await tx.modelRun.updateMany({ where: { id, startedAt: null }, data: { startedAt: now } });
      await appendEvent(tx, id, "STATE", { state: "RUNNING", attempt });
    },
    async extended(tx, { subjectId: id }, leaseExpiresAt) {
      await tx.modelRun.update({ where: { id }, data: { leaseExpiresAt } });
    },
    async requeued(tx, { subjectId: id }, attempt) {
      const { pauseRequested } = await tx.modelRun.findUniqueOrThrow({ where: { id } });
      const state = pauseRequested ? "PAUSED" : "QUEUED";
      const data = { state, attempt, leaseOwner: null, leaseExpiresAt: null, pauseRequested: false };
      await tx.modelRun.update({ where: { id }, data });
      await appendEvent(tx, id, "STATE", { state, attempt });
      return state;
    },
    async failed(tx, { subjectId: id }, error) {
      const released = { leaseOwner: null, leaseExpiresAt: null, pauseRequested: false, trainingStateHash: null };
      // The model of a refused prune is not the best so far: it is none.
      const refused = error.code === "PRUNE_REFUSED" ? { checkpointHash: null } : {};
      const ended = { ...released, ...refused, state: "FAILED", finishedAt: new Date() };
      await tx.modelRun.update({ where: { id }, data: { ...ended, error: JSON.stringify(error) } });
      await appendEvent(tx, id, "STATE", { state: "FAILED", error });
    },
  },

  /** An experiment only fails with a fault of ours; then it is ended as if it were cancelled. */
  ADVANCE_EXPERIMENT: {
    claimed: nothing,
    extended: nothing,
    requeued: queued,
    async failed(tx, { subjectId: id }) {
      await cancelExperimentInside(tx, id);
    },
  },

  EXPORT: {
    async claimed(tx, { subjectId: id }) {
      await tx.export.update({ where: { id }, data: { state: "RUNNING" } });
    },
    extended: nothing,
    async requeued(tx, { subjectId: id }) {
      await tx.export.update({ where: { id }, data: { state: "QUEUED" } });
      return "QUEUED";
    },
    async failed(tx, { subjectId: id }, error) {
      const data = { state: "FAILED", error: JSON.stringify(error), finishedAt: new Date() };
      await tx.export.update({ where: { id }, data });
    },
  },

  EXPORT_MODEL: {
    async claimed(tx, { subjectId: id }) {
      await tx.modelExport.update({ where: { id }, data: { state: "RUNNING" } });
    },
    extended: nothing,
    async requeued(tx, { subjectId: id }) {
      await tx.modelExport.update({ where: { id }, data: { state: "QUEUED" } });
      return "QUEUED";
    },
    async failed(tx, { subjectId: id }, error) {
      const data = { state: "FAILED", error: JSON.stringify(error), finishedAt: new Date() };
      await tx.modelExport.update({ where: { id }, data });
    },
  },

  PREDICT_BATCH: {
    async claimed(tx, { subjectId: id }) {
      await tx.batchPrediction.update({ where: { id }, data: { state: "RUNNING" } });
    },
    extended: nothing,
    async requeued(tx, { subjectId: id }) {
      await tx.batchPrediction.update({ where: { id }, data: { state: "QUEUED" } });
      return "QUEUED";
    },
    async failed(tx, { subjectId: id }, error) {
      await endBatchInside(tx, id, { state: "FAILED", error: JSON.stringify(error) });
    },
  },
};
