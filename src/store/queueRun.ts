/** What a run is made from, and how it enters the queue. */
import { appendEvent } from "./events.ts";
import type { IdPrefix } from "./ids.ts";
import { newJob } from "./jobs.ts";
import { assertRunnable } from "./notDeleted.ts";
import type { Run, RunKind } from "./rows.ts";
import { runOf } from "./rows.ts";
import { parametersOf } from "./runParameters.ts";
import type { DatabaseTransaction } from "./sqlite.ts";

export interface NewRun {
  readonly kind: RunKind;
  readonly datasetId: string;
  /** The search a PRUNE starts from, the run an EXTEND extends; default none. */
  readonly parentRunId?: string;
  readonly backboneName: string;
  readonly backboneConfig: unknown;
  readonly head: unknown;
  readonly hyperParameters: unknown;
  readonly preset?: string;
  /** A 32-bit signed integer. */
  readonly seed: number;
  readonly engine: string;
  /** PRUNE only. */
  readonly pruneThreshold?: number;
  /** PRUNE only: what it was asked to do; default: no more than the threshold. */
  readonly pruneRule?: unknown;
  /** The only scenario and task it trains on; default all. */
  readonly cell?: unknown;
  readonly configurationHash: string;
  /** What it may use before it ends with the best checkpoint so far; default: no limit. */
  readonly budget?: unknown;
  /** It is PAUSED after this many epochs; default: it goes through. */
  readonly pauseAtEpoch?: number;
  /** The run whose record it repeats. */
  readonly replayOfRunId?: string;
  /** The trial of an experiment it belongs to. */
  readonly trialId?: string;
}

/** Writes a run with its job, QUEUED. */
export async function queueRun(
  tx: DatabaseTransaction,
  newId: (prefix: IdPrefix) => string,
  run: NewRun,
): Promise<Run> {
  const { backboneConfig, head, hyperParameters, pruneRule, cell, budget, ...columns } = run;
  await assertRunnable(tx, { datasetId: run.datasetId, runIds: [run.parentRunId, run.replayOfRunId] });
  const createdAt = new Date();
  const id = newId("run");
  await tx.modelRun.create({
    data: {
      ...columns,
      id,
      backboneConfig: JSON.stringify(backboneConfig),
      head: JSON.stringify(head),
      hyperParameters: JSON.stringify(hyperParameters),
      pruneRule: pruneRule === undefined ? null : JSON.stringify(pruneRule),
      cell: cell === undefined ? null : JSON.stringify(cell),
      budget: budget === undefined ? null : JSON.stringify(budget),
      state: "QUEUED",
      attempt: 1,
      createdAt,
    },
  });
  await tx.runParameter.createMany({ data: parametersOf(run).map((parameter) => ({ runId: id, ...parameter })) });
  await tx.job.create({ data: newJob(newId("job"), "TRAIN", id, createdAt) });
  await appendEvent(tx, id, "STATE", { state: "QUEUED", attempt: 1 });
  return runOf(await tx.modelRun.findUniqueOrThrow({ where: { id } }));
}
