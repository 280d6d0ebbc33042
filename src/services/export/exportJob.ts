/** The work of an export: writes its rows to a file, one after the other, and keeps that as an artifact. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { parquetFromLines, writeLines } from "../../data/lineFiles.ts";
import type { JobContext } from "../../jobs/workQueue.ts";
import type { ClaimedJob, Export } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import type { Installation } from "../installation.ts";
import type { Exported } from "./columns.ts";
import { exportedMetrics } from "./metricRows.ts";
import { exportedPredictions } from "./predictionRows.ts";
import { exportedRuns } from "./runRows.ts";
import { filterOfExport, runOfExport } from "./exportSpec.ts";

/** Rows between two looks whether the work is still wanted. */
const lookEvery = 1000;

/** Ends it as SUCCEEDED; what it throws ends it as FAILED, except where the worker is asked to stop: then it begins again. */
export async function exportJob(
  { store, scratchFolder }: Pick<Installation, "store" | "scratchFolder">,
  job: ClaimedJob,
  { lost, stopping }: Pick<JobContext, "lost" | "stopping">,
): Promise<void> {
  await store.artifacts.sweep();
  const wanted = await store.exports.get(job.subjectId);
  // Of this attempt alone: a worker that has lost the job may still be at its own.
  const scratch = join(scratchFolder, `${job.jobId}-${job.attempt}`);
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true });
  try {
    const { columns, rows } = await exported(store, wanted);
    const lines = join(scratch, "rows.jsonl");
    const count = await writeLines(lines, untilAborted(rows, AbortSignal.any([lost, stopping])));
    const file = wanted.format === "JSONL" ? lines : join(scratch, "rows.parquet");
    if (file !== lines) await parquetFromLines({ lines, columns, file, scratch: join(scratch, "spill") });
    const { hash } = await store.artifacts.put(file, "export");
    await store.exports.succeed(job, { rows: count, artifactHash: hash });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function exported(store: Store, wanted: Export): Promise<Exported> {
  const { kind } = wanted;
  switch (kind) {
    case "RUNS":
      return exportedRuns(store, filterOfExport(wanted));
    case "METRICS":
      return exportedMetrics(store, filterOfExport(wanted));
    case "PREDICTIONS":
      return exportedPredictions(store, await store.runs.get(runOfExport(wanted)!));
    default:
      return kind satisfies never;
  }
}

async function* untilAborted(rows: AsyncIterable<object>, signal: AbortSignal): AsyncGenerator<object> {
  let count = 0;
  for await (const row of rows) {
    if (count++ % lookEvery === 0) signal.throwIfAborted();
    yield row;
  }
}
