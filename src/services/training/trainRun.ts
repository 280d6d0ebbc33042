/** The work of a training job: gives the run to a thread, keeps what it reports, and moves the run when it ends. */
import { setTimeout as timer } from "node:timers/promises";
import { ConflictError, DivergedError } from "../../errors.ts";
import type { JobContext } from "../../jobs/workQueue.ts";
import { pluginSource } from "../../plugin/registry.ts";
import type { ClaimedJob, Dataset, Run } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import type { Installation } from "../installation.ts";
import { createRecorder } from "./recorder.ts";
import { manifestOf, runSpecOf } from "../stored.ts";
import type { EpochSummary } from "../../training/events.ts";
import type { Trainer } from "./trainer.ts";
import type { TrainingOrder } from "./trainingMessages.ts";

export interface TrainRunOptions extends Pick<Installation, "store" | "pluginSources"> {
  readonly trainer: Trainer;
  /** Between two checkpoints inside an epoch. */
  readonly saveEverySeconds: number;
}

/** Milliseconds between two looks whether the run is to be paused. */
const lookInterval = 500;

/**
 * Goes on from what an earlier attempt saved. Ends the run as SUCCEEDED or PAUSED, or returns with the run saved where
 * the worker is asked to stop; what it throws ends the run as FAILED.
 */
export async function trainRun(
  options: TrainRunOptions,
  job: ClaimedJob,
  { lost, stopping, span }: JobContext,
): Promise<void> {
  const { store, trainer } = options;
  await store.artifacts.sweep();
  const run = await store.runs.get(job.subjectId);
  const order = await orderOf(options, run);
  const recorder = createRecorder(store, job, run.trainingStateHash);
  const ended = new AbortController();
  const pause = new AbortController();
  const watch = abortWhenPauseIsRequested(store, job, pause, ended.signal);
  // It is awaited when the training has ended; until then a failure must not count as unhandled.
  watch.catch(() => undefined);
  let begun = Date.now();
  const traceEpoch = ({ phase, epoch }: EpochSummary): void => {
    const ended = Date.now();
    span.past(`${phase} epoch ${epoch}`, { begun, ended });
    begun = ended;
  };
  const last = await trainer
    .train(order, {
      report: (report) => {
        if (report.kind === "METRICS" && report.event.summary) traceEpoch(report.event.summary);
        return recorder.record(report);
      },
      stop: AbortSignal.any([lost, recorder.failed]),
      saveAndStop: AbortSignal.any([stopping, pause.signal]),
    })
    .finally(() => ended.abort())
    .catch(async (error: unknown) => {
      // What it reported before it failed is part of the run.
      await recorder.flush();
      return withCheckpoint(store, job, error);
    });
  await watch;
  await recorder.flush();
  if (last.kind === "INTERRUPTED") {
    const isAtEpoch = last.reason === "PAUSED_AT_EPOCH";
    if (pause.signal.aborted || isAtEpoch) await store.runs.markPaused(job, { isAtEpoch });
    return;
  }
  const { hash: checkpointHash } = await store.artifacts.put(last.checkpoint, "checkpoint");
  const { hash: predictionsHash } = await store.artifacts.put(last.predictions, "predictions");
  const { stopReason, timings, size } = last;
  await store.runs.succeed(job, { checkpointHash, predictionsHash, stopReason, timings, size });
  await recorder.collect();
}

async function orderOf({ store, pluginSources, saveEverySeconds }: TrainRunOptions, run: Run) {
  const dataset = await store.datasets.get(run.datasetId);
  const parent = run.parentRunId === null ? undefined : await store.runs.get(run.parentRunId);
  const order: Omit<TrainingOrder, "wish" | "pluginWatch"> = {
    run: run.id,
    spec: runSpecOf(run),
    plugin: pluginSource(pluginSources, run.backboneName),
    saveEverySeconds,
    ...(await datasetArtifacts(store, dataset)),
    ...(parent ? { parent: await verified(store, parent.checkpointHash!) } : {}),
    ...(run.trainingStateHash === null ? {} : { saved: await verified(store, run.trainingStateHash) }),
  };
  return order;
}

async function datasetArtifacts(store: Store, dataset: Dataset): Promise<Pick<TrainingOrder, "shape" | "files">> {
  const manifest = manifestOf(dataset);
  if (!manifest) throw new ConflictError(`dataset ${dataset.id}: expected status READY, but it is ${dataset.status}`);
  const { shape, files } = manifest;
  return {
    shape,
    files: {
      train: await verified(store, files["train.arrow"].sha256),
      validation: await verified(store, files["validation.arrow"].sha256),
      test: await verified(store, files["test.arrow"].sha256),
    },
  };
}

async function verified({ artifacts }: Store, hash: string): Promise<string> {
  await artifacts.verify(hash);
  return artifacts.path(hash);
}

async function abortWhenPauseIsRequested(
  { runs }: Store,
  job: ClaimedJob,
  pause: AbortController,
  ended: AbortSignal,
): Promise<void> {
  const wait = () => timer(lookInterval, true, { signal: ended }).catch(() => false);
  while (await wait()) if (await runs.isPauseRequested(job)) return pause.abort();
}

/** Of a training that diverged, says which checkpoint is good. Always throws. */
async function withCheckpoint({ runs }: Store, { subjectId }: ClaimedJob, error: unknown): Promise<never> {
  if ((error as { code?: unknown }).code !== "DIVERGED") throw error;
  const { message, detail } = error as DivergedError;
  const { checkpointHash } = await runs.get(subjectId);
  const kept =
    checkpointHash === null ? "there is no checkpoint before it" : `the last good checkpoint is ${checkpointHash}`;
  throw new DivergedError(`${message}; ${kept}`, detail);
}
