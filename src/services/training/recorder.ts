/** Writes what a training reports into the store, one report after the other, in the order they came. */
import { metricDefinitions } from "../../metrics/definitions.ts";
import type { Artifact, ClaimedJob } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import type { MetricsEvent } from "../../training/events.ts";
import type { TrainingReport } from "./trainer.ts";
import { productVersion } from "../productVersion.ts";

export interface Recorder {
  /** Resolves once it is written. */
  record(report: TrainingReport): Promise<void>;
  /** Aborts where a report could not be written: the lease is lost, or the database fails. */
  readonly failed: AbortSignal;
  /** Waits until everything is written. Throws where something could not be. */
  flush(): Promise<void>;
  /** Takes away the state that was saved last: the run has ended. */
  collect(): Promise<void>;
}

/** `stateHash`: what an earlier attempt saved. */
export function createRecorder(store: Store, job: ClaimedJob, stateHash: string | null): Recorder {
  const failure = new AbortController();
  let tail = Promise.resolve();
  let state: Pick<Artifact, "hash" | "createdAt"> | null =
    stateHash === null ? null : { hash: stateHash, createdAt: new Date() };

  const collect = async (): Promise<void> => {
    if (state !== null) await store.artifacts.collect(state);
    state = null;
  };

  const write = async (report: TrainingReport): Promise<void> => {
    switch (report.kind) {
      case "VERSIONS":
        return store.runs.recordVersions(job, {
          autoifs: productVersion(),
          metrics: String(metricDefinitions),
          ...report.versions,
        });
      case "PROGRESS":
        return store.runs.recordProgress(job, report.progress);
      case "METRICS":
        return writeMetrics(store, job, report.event);
      case "FLOWS":
        return store.flows.record(job, report.statistics.map(keyed));
      case "GATES": {
        const { flows, ...at } = report.epoch;
        return store.flows.recordEpoch(job, at, flows.map(keyed));
      }
      case "BALANCE": {
        const { weights, ...at } = report.weights;
        return store.epochRecords.recordLossWeights(
          job,
          at,
          weights.map(({ task, weight }) => ({ taskKey: task, weight })),
        );
      }
      case "STATISTICS": {
        const { statistics, ...at } = report.epoch;
        return store.epochRecords.recordStatistics(
          job,
          at,
          statistics.map(({ scenario, ...rest }) => ({ ...rest, scenarioKey: scenario })),
        );
      }
      case "EFFECTS":
        return store.flows.recordEffects(job, report.effects.map(keyed));
      case "VERIFIED":
        return store.runs.recordVerified(job, report.changes);
      case "STATE": {
        const { bytes, ...place } = report;
        const saved = await store.artifacts.put(bytes, "training-state");
        await store.runs.saveTraining(job, { hash: saved.hash, ...place });
        await collect();
        state = saved;
        return;
      }
      default:
        return report satisfies never;
    }
  };

  return {
    record(report) {
      // What comes after a report that was lost must not be kept: the state would say that it was told.
      const written = tail.then(() => {
        failure.signal.throwIfAborted();
        return write(report);
      });
      tail = written.catch((error: unknown) => failure.abort(error));
      return written;
    },
    failed: failure.signal,
    async flush() {
      await tail;
      failure.signal.throwIfAborted();
    },
    collect,
  };
}

function writeMetrics(store: Store, job: ClaimedJob, { summary, metrics }: MetricsEvent): Promise<void> {
  return store.metrics.record(job, summary?.epoch ?? null, metrics.map(keyed), summary ?? undefined);
}

function keyed<T extends { readonly scenario: string; readonly task: string }>({ scenario, task, ...rest }: T) {
  return { ...rest, scenarioKey: scenario, taskKey: task };
}
