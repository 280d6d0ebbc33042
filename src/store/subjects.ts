/** What a job is about, by its kind, and how that moves when the job moves. */
import type { JobKind, Lease, RecordedError } from "./rows.ts";
import type { DatabaseTransaction } from "./sqlite.ts";

interface Subject {
  claimed(tx: DatabaseTransaction, lease: Lease, times: { now: Date; leaseExpiresAt: Date }): Promise<void>;
  extended(tx: DatabaseTransaction, lease: Lease, leaseExpiresAt: Date): Promise<void>;
  /** `attempt` is the one to come. */
  requeued(tx: DatabaseTransaction, lease: Lease, attempt: number): Promise<void>;
  failed(tx: DatabaseTransaction, lease: Lease, error: RecordedError): Promise<void>;
}

const nothing = () => Promise.resolve();

export const subjects: { readonly [K in JobKind]: Subject } = {
  /** A dataset is IMPORTING from the request on, whoever works on it. */
  IMPORT_DATASET: {
    claimed: nothing,
    extended: nothing,
    requeued: nothing,
    async failed(tx, { subjectId: id }, error) {
      await tx.dataset.update({ where: { id }, data: { status: "FAILED", error: JSON.stringify(error) } });
    },
  },

  TRAIN: {
    async claimed(tx, { subjectId: id, owner }, { now, leaseExpiresAt }) {
      await tx.modelRun.update({ where: { id }, data: { state: "RUNNING", leaseOwner: owner, leaseExpiresAt } });
      // Of a run that is tried again the start is that of the first attempt.
      await tx.modelRun.updateMany({ where: { id, startedAt: null }, data: { startedAt: now } });
    },
    async extended(tx, { subjectId: id }, leaseExpiresAt) {
      await tx.modelRun.update({ where: { id }, data: { leaseExpiresAt } });
    },
    async requeued(tx, { subjectId: id }, attempt) {
      const data = { state: "QUEUED", attempt, leaseOwner: null, leaseExpiresAt: null };
      await tx.modelRun.update({ where: { id }, data });
    },
    async failed(tx, { subjectId: id }, error) {
      const ended = { state: "FAILED", leaseOwner: null, leaseExpiresAt: null, finishedAt: new Date() };
      await tx.modelRun.update({ where: { id }, data: { ...ended, error: JSON.stringify(error) } });
    },
  },
};
