/** How an experiment ends before its time, inside a transaction of whoever ends it. */
import { announce } from "./outbox.ts";
import { cancelInside } from "./runMoves.ts";
import type { DatabaseTransaction } from "./sqlite.ts";

/** CANCELLED: its open runs keep the best checkpoint they had, its open trials are STOPPED. False where it had ended. */
export async function cancelExperimentInside(tx: DatabaseTransaction, id: string): Promise<boolean> {
  const cancelled = await tx.experiment.updateMany({
    where: { id, state: "RUNNING" },
    data: { state: "CANCELLED", finishedAt: new Date() },
  });
  if (cancelled.count === 0) return false;
  const open = { trial: { experimentId: id }, state: { in: ["QUEUED", "RUNNING", "PAUSED"] } };
  for (const run of await tx.modelRun.findMany({ where: open, select: { id: true } })) await cancelInside(tx, run.id);
  await tx.trial.updateMany({
    where: { experimentId: id, state: { in: ["WAITING", "RUNNING"] } },
    data: { state: "STOPPED" },
  });
  const { name } = await tx.experiment.findUniqueOrThrow({ where: { id }, select: { name: true } });
  await announce(tx, "experiment.finished", id, { experiment: id, name, state: "CANCELLED" });
  return true;
}
