/**
 * The work of a batch prediction: reads the file in chunks, keeps what is predicted for each as a part, and joins the parts
 * when all are there. A part counts once it is recorded, so another attempt goes on after the last one and the result is the
 * same to the byte.
 */
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { hashFile } from "../../data/contentHash.ts";
import { fileFault } from "../../data/faults.ts";
import { openFileRows } from "../../data/fileRows.ts";
import { parquetFromLines } from "../../data/lineFiles.ts";
import type { JobContext } from "../../jobs/workQueue.ts";
import type { BatchPrediction, ClaimedJob, Run } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import { dataFile } from "../dataset/dataFile.ts";
import type { Installation } from "../installation.ts";
import { refusal } from "../parseInput.ts";
import { modelFilesOf, openModel } from "../prediction/openModel.ts";
import type { OpenModel } from "../prediction/openModel.ts";
import { columnsOf, predictPart, resultColumns } from "./batchRows.ts";

export interface BatchParts extends Pick<Installation, "store" | "plugins" | "filesFolder" | "scratchFolder"> {
  /** Rows that are lost when a worker dies; default 10,000, a fraction of a second of work. */
  readonly partRows?: number;
}

interface Work {
  readonly store: Store;
  readonly job: ClaimedJob;
  readonly batch: BatchPrediction;
  readonly run: Run;
  readonly file: string;
  readonly scratch: string;
  readonly partRows: number;
  /** Aborts when nothing more is to be done here. */
  readonly stop: AbortSignal;
}

/**
 * Ends it as SUCCEEDED, or returns with its parts recorded where the worker is asked to stop; what it throws ends it as
 * FAILED, for example where the file is not the one that was there when it was asked for.
 */
export async function predictBatchJob(
  { store, plugins, filesFolder, scratchFolder, partRows = 10_000 }: BatchParts,
  job: ClaimedJob,
  { lost, stopping }: Pick<JobContext, "lost" | "stopping">,
): Promise<void> {
  await store.artifacts.sweep();
  const batch = await store.batchPredictions.get(job.subjectId);
  const run = await store.runs.get(batch.runId);
  const file = await dataFile(filesFolder, batch.sourceFile, "file");
  // Of this attempt alone: a worker that has lost the job may still be at its own.
  const scratch = join(scratchFolder, `${job.jobId}-${job.attempt}`);
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true });
  const work = { store, job, batch, run, file, scratch, partRows, stop: AbortSignal.any([lost, stopping]) };
  try {
    await assertUnchanged(work);
    const model = await openModel(await modelFilesOf(store, run), plugins);
    try {
      await predictParts(work, model);
    } finally {
      await model.release();
    }
    if (work.stop.aborted) return;
    // It may have been changed while it was read.
    await assertUnchanged(work);
    const result = await joinParts(work, model.facts.tasks);
    const { hash } = await store.artifacts.put(result, "batch");
    await store.batchPredictions.succeed(job, hash);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function assertUnchanged({ batch: { sourceFile, sourceHash }, file }: Work): Promise<void> {
  if ((await hashFile(file)) === sourceHash) return;
  const hint = "ask for a new batch prediction";
  throw refusal("file", "the bytes that were there when it was asked for", `others: ${sourceFile} has changed`, hint);
}

/** Until all rows are done, or `stop` aborts. */
async function predictParts(work: Work, model: OpenModel): Promise<void> {
  const { store, job, batch, run, file, scratch, partRows, stop } = work;
  const transform = model.transform.toJSON();
  const lists = transform.fields.flatMap((field) => ("separator" in field ? [field] : []));
  const source = await openFileRows({ file, columns: columnsOf(transform), lists, scratch });
  try {
    if (source.rows === 0) throw fileFault({ file, expected: "rows", received: "none" });
    await store.batchPredictions.recordTotal(job, source.rows);
    let first = batch.rowsDone;
    if (first === source.rows) return;
    for await (const chunk of source.read(first, partRows)) {
      const { rows, unknown } = await predictPart(run, model, { file, source, chunk, first });
      const lines = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
      const { hash: artifactHash } = await store.artifacts.put(lines, "batch-part");
      await store.batchPredictions.recordPart(job, { artifactHash, rows: rows.length, unknown });
      first += rows.length;
      if (stop.aborted) return;
    }
  } finally {
    await source.close();
  }
}

/** Gives the path of the result. */
async function joinParts({ store, batch, scratch }: Work, tasks: readonly string[]): Promise<string> {
  const parts = await store.batchPredictions.parts(batch.id);
  const contents = async function* (): AsyncGenerator<Uint8Array> {
    for (const hash of parts) yield await store.artifacts.read(hash);
  };
  const lines = join(scratch, "result.jsonl");
  await pipeline(contents, createWriteStream(lines, { flags: "wx" }));
  if (batch.format === "JSONL") return lines;
  const file = join(scratch, "result.parquet");
  await parquetFromLines({ lines, columns: resultColumns(tasks), file, scratch: join(scratch, "spill") });
  return file;
}
