/**
 * Purging: what is deleted is taken away for good, exactly as it was planned. The rows go in one transaction and the files
 * after its commit: a crash in between leaves files that nothing refers to, which `artifacts.sweep` takes away.
 */
import { setImmediate as turn } from "node:timers/promises";
import { ConflictError } from "../errors.ts";
import type { Artifacts } from "./artifacts.ts";
import { inChunks } from "./inChunks.ts";
import type { Purged } from "./purged.ts";
import { assertUnblocked, planPurge } from "./purgePlan.ts";
import type { PurgePlan } from "./purgePlan.ts";
import type { Database, DatabaseTransaction } from "./sqlite.ts";

/** A plan with the rows that go with its runs: those of runs that have ended stay the same. */
export interface CountedPlan extends PurgePlan {
  readonly metrics: number;
  readonly events: number;
}

/** What has gone, and the files that went with it. */
export interface PurgeResult {
  readonly plan: CountedPlan;
  readonly files: number;
  readonly bytes: number;
}

export interface PurgeRequest {
  readonly ids: readonly string[];
  /** Of the plan. */
  readonly fingerprint: string;
  /** Where the ids stand in the request. */
  readonly field: string;
}

/** Thousands of runs with their metrics take a while. */
const longTransaction = { timeout: 120_000 };
/** Things that are taken away before others in this process have their turn. */
const atOnce = 100;

export type Purges = ReturnType<typeof purgeStore>;

export function purgeStore(database: Database, artifacts: Pick<Artifacts, "release">) {
  /** Outside a transaction, which would keep others from writing for as long as it takes. */
  const plan = async (ids: readonly string[], field: string): Promise<CountedPlan> => {
    const found = await planPurge(database, ids, field);
    return { ...found, ...(await countRows(database, found.goes)) };
  };

  return {
    /** Nothing is changed. `field` is where the ids stand in the request. Throws InvalidInputError or NotFoundError. */
    plan,

    /**
     * Does what the plan with this fingerprint said. Throws InvalidInputError or NotFoundError as `plan`, and ConflictError where
     * something is in the way, or the plan is another one by now.
     */
    async purge({ ids, fingerprint, field }: PurgeRequest): Promise<PurgeResult> {
      const fits = (now: PurgePlan): void => {
        assertUnblocked(now, field);
        if (now.fingerprint !== fingerprint) throw hasChanged(now.fingerprint, fingerprint);
      };
      const planned = await plan(ids, field);
      fits(planned);
      await database.$transaction(async (tx) => {
        fits(await planPurge(tx, ids, field));
        await takeAway(tx, planned.goes);
      }, longTransaction);
      return { plan: planned, ...(await artifacts.release(planned.hashes)) };
    },
  };
}

async function countRows(database: Database, { RUN }: Purged): Promise<{ metrics: number; events: number }> {
  let [metrics, events] = [0, 0];
  for (const some of inChunks(RUN)) {
    const where = { runId: { in: some } };
    metrics += await database.metricPoint.count({ where });
    events += await database.runEvent.count({ where });
  }
  return { metrics, events };
}

/** What needs others goes before them; metrics, events, tags and the like go with what they are of. */
async function takeAway(tx: DatabaseTransaction, goes: Purged): Promise<void> {
  const inTurn = async (ids: readonly string[], remove: (id: { in: string[] }) => Promise<unknown>): Promise<void> => {
    for (const some of inChunks(ids, atOnce)) {
      await tx.job.deleteMany({ where: { subjectId: { in: some } } });
      await remove({ in: some });
      await turn();
    }
  };
  await inTurn(goes.MODEL, (id) => tx.model.deleteMany({ where: { id } }));
  await inTurn(goes.MODEL_EXPORT, (id) => tx.modelExport.deleteMany({ where: { id } }));
  await inTurn(goes.BATCH_PREDICTION, (id) => tx.batchPrediction.deleteMany({ where: { id } }));
  await inTurn(goes.RUN, (id) => tx.modelRun.deleteMany({ where: { id } }));
  await inTurn(goes.EXPERIMENT, (id) => tx.experiment.deleteMany({ where: { id } }));
  await inTurn(goes.DATASET, (id) => tx.dataset.deleteMany({ where: { id } }));
  await inTurn(goes.SCENARIO, (id) => tx.scenario.deleteMany({ where: { id } }));
  // The newest first: a task that counts only where another is 1 came after that one.
  await inTurn(goes.TASK.toReversed(), (id) => tx.task.deleteMany({ where: { id } }));
}

function hasChanged(now: string, given: string): ConflictError {
  const expected = "the fingerprint of the plan as it is now";
  return new ConflictError(`fingerprint: expected ${expected}, ${now}, got ${given.slice(0, 100)}`, {
    field: "fingerprint",
    expected: now,
    received: given.slice(0, 100),
    hint: "something has changed since the plan was made: ask `purgePlan` again, and read what it says",
  });
}
