/** What needs the things that are to be purged, and is not to be purged itself. */
import { inChunks } from "./inChunks.ts";
import type { PurgeBlocker, Purged } from "./purged.ts";
import type { DatabaseTransaction } from "./sqlite.ts";

const dated = { id: true, deletedAt: true } as const;

/** Sorted by id; each pair of two things once. */
export async function dependentsOf(tx: DatabaseTransaction, goes: Purged): Promise<PurgeBlocker[]> {
  const scenarios = await tx.scenario.findMany({ where: { id: { in: [...goes.SCENARIO] } } });
  const tasks = await tx.task.findMany({ where: { id: { in: [...goes.TASK] } } });
  const found: PurgeBlocker[] = [];
  for (const { id, key } of scenarios) found.push(...(await datasetsNaming(tx, "scenario", key, id)));
  for (const { id, key } of tasks) found.push(...(await datasetsNaming(tx, "task", key, id)));
  for (const some of inChunks(goes.TASK)) found.push(...(await onTasks(tx, some)));
  for (const some of inChunks(goes.DATASET)) found.push(...(await onDatasets(tx, some)));
  for (const some of inChunks(goes.RUN)) found.push(...(await onRuns(tx, some)));
  for (const some of inChunks(goes.EXPERIMENT)) found.push(...(await runsOf(tx, some)));
  const going = new Set(Object.values(goes).flat());
  const once = new Map(
    found
      .filter(({ id, reason }) => reason === "AT_WORK" || !going.has(id))
      .map((blocker) => [`${blocker.id} ${blocker.needs}`, blocker]),
  );
  return [...once].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, blocker]) => blocker);
}

/** In any state: a dataset shows its scenarios and tasks also while it is imported, and when that has failed. */
async function datasetsNaming(
  tx: DatabaseTransaction,
  member: "scenario" | "task",
  key: string,
  needs: string,
): Promise<PurgeBlocker[]> {
  // As `JSON.stringify` writes it. `_` of a key stands for any letter in the database's search.
  const text = `"${member}":"${key}"`;
  const datasets = await tx.dataset.findMany({ where: { spec: { contains: text } }, select: { ...dated, spec: true } });
  return datasets.filter(({ spec }) => spec.includes(text)).map((dataset) => depends(dataset, needs));
}

/** Tasks that count only where one of these is 1. */
async function onTasks(tx: DatabaseTransaction, taskIds: string[]): Promise<PurgeBlocker[]> {
  const where = { onlyWhereId: { in: taskIds } };
  const tasks = await tx.task.findMany({ where, select: { ...dated, onlyWhereId: true } });
  return tasks.map((task) => depends(task, task.onlyWhereId!));
}

async function onDatasets(tx: DatabaseTransaction, datasetIds: string[]): Promise<PurgeBlocker[]> {
  const where = { datasetId: { in: datasetIds } };
  const runs = await tx.modelRun.findMany({ where, select: { ...dated, datasetId: true } });
  const trials = await tx.trial.findMany({
    where,
    distinct: ["experimentId", "datasetId"],
    select: { datasetId: true, experiment: { select: dated } },
  });
  return [
    ...runs.map((run) => depends(run, run.datasetId)),
    ...trials.map(({ experiment, datasetId }) => depends(experiment, datasetId)),
  ];
}

async function onRuns(tx: DatabaseTransaction, runIds: string[]): Promise<PurgeBlocker[]> {
  const some = { in: runIds };
  const prunes = await tx.modelRun.findMany({
    where: { parentRunId: some },
    select: { ...dated, parentRunId: true },
  });
  const replays = await tx.modelRun.findMany({
    where: { replayOfRunId: some },
    select: { ...dated, replayOfRunId: true },
  });
  // The results of an experiment are those of its runs.
  const inTrials = await tx.modelRun.findMany({
    where: { id: some, trialId: { not: null } },
    select: { id: true, trial: { select: { experiment: { select: dated } } } },
  });
  const versions = await tx.modelVersion.findMany({
    where: { runId: some },
    select: { runId: true, model: { select: dated } },
  });
  const batches = await tx.batchPrediction.findMany({
    where: { runId: some, state: { in: ["QUEUED", "RUNNING"] } },
    select: { id: true, runId: true },
  });
  const exports = await tx.modelExport.findMany({
    where: { runId: some, state: { in: ["QUEUED", "RUNNING"] } },
    select: { id: true, runId: true },
  });
  return [
    ...prunes.map((run) => depends(run, run.parentRunId!)),
    ...replays.map((run) => depends(run, run.replayOfRunId!)),
    ...inTrials.map(({ id, trial }) => depends(trial!.experiment, id)),
    ...versions.map(({ runId, model }) => depends(model, runId)),
    ...[...batches, ...exports].map(({ id, runId }) => ({
      id,
      needs: runId,
      reason: "AT_WORK" as const,
      deletedAt: null,
    })),
  ];
}

async function runsOf(tx: DatabaseTransaction, experimentIds: string[]): Promise<PurgeBlocker[]> {
  const runs = await tx.modelRun.findMany({
    where: { trial: { experimentId: { in: experimentIds } }, deletedAt: null },
    select: { id: true, deletedAt: true, trial: { select: { experimentId: true } } },
  });
  return runs.map((run) => depends(run, run.trial!.experimentId));
}

function depends({ id, deletedAt }: { id: string; deletedAt: Date | null }, needs: string): PurgeBlocker {
  return { id, needs, reason: "DEPENDS", deletedAt };
}
