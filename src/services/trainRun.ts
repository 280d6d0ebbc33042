/** The work of a training job: gives the run to a thread, records what it reports, and keeps its checkpoint. */
import { ConflictError } from "../errors.ts";
import type { ClaimedJob, Dataset } from "../store/rows.ts";
import type { Store } from "../store/store.ts";
import type { Installation } from "./installation.ts";
import { runInThread } from "./runInThread.ts";
import type { TrainingReport } from "./runInThread.ts";
import { manifestOf, runSpecOf } from "./stored.ts";
import type { TrainingOrder } from "./trainingThread.ts";

/** Ends the run as SUCCEEDED; what it throws ends it as FAILED. `signal` ends the training where it is. */
export async function trainRun(
  { store, pluginsFolder }: Pick<Installation, "store" | "pluginsFolder">,
  job: ClaimedJob,
  signal: AbortSignal,
): Promise<void> {
  const run = await store.runs.get(job.subjectId);
  const dataset = await store.datasets.get(run.datasetId);
  const parent = run.parentRunId === null ? undefined : await store.runs.get(run.parentRunId);
  const order: Omit<TrainingOrder, "stop"> = {
    spec: runSpecOf(run),
    pluginsFolder,
    ...(await datasetArtifacts(store, dataset)),
    ...(parent ? { parent: await verified(store, parent.checkpointHash!) } : {}),
  };
  const recorder = createRecorder(store, job);
  const result = await runInThread(order, recorder.record, AbortSignal.any([signal, recorder.failed]));
  await recorder.flush();
  const { hash } = await store.artifacts.put(result.checkpoint, "checkpoint");
  await store.runs.succeed(job, { checkpointHash: hash, timings: result.timings });
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

/** Writes reports one after the other, in the order they came. */
function createRecorder(store: Store, job: ClaimedJob) {
  const failure = new AbortController();
  let tail = Promise.resolve();
  const write = async (report: TrainingReport): Promise<void> => {
    switch (report.kind) {
      case "PROGRESS":
        return store.runs.recordProgress(job, report.progress);
      case "METRICS": {
        const points = report.event.metrics.map(({ scenario, task, value, ...point }) => {
          // A diverged training has values that no database and no JSON holds.
          const finite = value !== null && Number.isFinite(value) ? value : null;
          return { ...point, scenarioKey: scenario, taskKey: task, value: finite };
        });
        return store.metrics.record(job, report.event.epoch, points);
      }
      case "FLOWS": {
        const keyed = report.statistics.map(({ scenario, task, ...rest }) => {
          return { ...rest, scenarioKey: scenario, taskKey: task };
        });
        return store.flows.record(job, keyed);
      }
      default:
        return report satisfies never;
    }
  };
  return {
    record(report: TrainingReport): void {
      tail = tail.then(() => write(report)).catch((error: unknown) => failure.abort(error));
    },
    /** Aborts where a report could not be written: the lease is lost, or the database fails. */
    failed: failure.signal,
    /** Waits until everything is written. Throws where something could not be. */
    async flush(): Promise<void> {
      await tail;
      failure.signal.throwIfAborted();
    },
  };
}
