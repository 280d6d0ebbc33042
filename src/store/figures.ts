/** How much there is of what, for those who watch over an installation: few statements, whatever the size. */
import { stat } from "node:fs/promises";
import type { Database } from "./sqlite.ts";

export interface Figures {
  /** Jobs that have not ended. */
  readonly jobs: readonly { readonly kind: string; readonly state: string; readonly count: number }[];
  /** How long the job has waited that waits longest; 0 where none waits. */
  readonly oldestJobSeconds: number;
  readonly runs: readonly { readonly state: string; readonly count: number }[];
  readonly deliveries: readonly { readonly state: string; readonly count: number }[];
  /** Rows that batch predictions have done. */
  readonly batchRows: number;
  readonly artifacts: readonly { readonly kind: string; readonly count: number; readonly bytes: number }[];
  /** On disk, with the write-ahead log. */
  readonly databaseBytes: number;
}

interface JobGroup {
  readonly kind: string;
  readonly state: string;
  readonly count: bigint;
  /** As Prisma writes a time; null where none waits. */
  readonly oldest: string | null;
}

interface Group {
  readonly name: string;
  readonly count: bigint;
}

export function readFigures(database: Database, databaseFile: string): () => Promise<Figures> {
  return async () => {
    const now = new Date();
    // Each of them reads an index alone. Jobs that have ended are most of them, and nobody waits for those.
    const jobs = await database.$queryRaw<JobGroup[]>`
      SELECT "kind", "state", count(*) AS "count",
        min(CASE WHEN "state" = 'QUEUED' AND "availableAt" <= ${now} THEN "availableAt" END) AS "oldest"
      FROM "Job" WHERE "state" IN ('QUEUED', 'RUNNING', 'PAUSED') GROUP BY "kind", "state"`;
    const runs = await database.$queryRaw<Group[]>`
      SELECT "state" AS "name", count(*) AS "count" FROM "ModelRun" GROUP BY "state"`;
    const deliveries = await database.$queryRaw<Group[]>`
      SELECT "state" AS "name", count(*) AS "count" FROM "WebhookDelivery" GROUP BY "state"`;
    const artifacts = await database.artifact.groupBy({ by: ["kind"], _count: true, _sum: { bytes: true } });
    const batches = await database.batchPrediction.aggregate({ _sum: { rowsDone: true } });
    const oldest = jobs.flatMap((job) => (job.oldest === null ? [] : [new Date(job.oldest).getTime()]));
    return {
      jobs: jobs.map(({ kind, state, count }) => ({ kind, state, count: Number(count) })),
      oldestJobSeconds: oldest.length === 0 ? 0 : Math.max(0, now.getTime() - Math.min(...oldest)) / 1000,
      runs: runs.map(byState),
      deliveries: deliveries.map(byState),
      batchRows: batches._sum.rowsDone ?? 0,
      artifacts: artifacts.map(({ kind, _count, _sum }) => ({ kind, count: _count, bytes: Number(_sum.bytes ?? 0) })),
      databaseBytes: (await sizeOf(databaseFile)) + (await sizeOf(`${databaseFile}-wal`)),
    };
  };
}

function byState({ name, count }: Group): { readonly state: string; readonly count: number } {
  return { state: name, count: Number(count) };
}

function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
