/**
 * The entry of the thread a training runs in: reads files, trains, and tells the thread that began it. It never touches
 * the store.
 */
import { readFile } from "node:fs/promises";
import { parentPort, workerData } from "node:worker_threads";
import { readSplit } from "../data/arrowFiles.ts";
import type { DatasetShape, Split } from "../data/spec.ts";
import { createEngine } from "../engine/engines.ts";
import { ProductError } from "../errors.ts";
import type { ErrorCode, ErrorDetail } from "../errors.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../model/checkpoint.ts";
import { backbonePlugin, loadPlugins } from "../plugin/registry.ts";
import type { FlowStatistic, MetricsEvent, Progress, TrainingHooks, TrainingTimings } from "../training/events.ts";
import type { RunSpec } from "../training/runSpec.ts";
import { runTraining } from "../training/runTraining.ts";

/** What the thread is begun with. */
export interface TrainingOrder {
  readonly spec: RunSpec;
  readonly pluginsFolder: string;
  readonly shape: DatasetShape;
  /** Paths of the encoded splits. */
  readonly files: Readonly<Record<Split, string>>;
  /** Path of the search run's checkpoint; PRUNE only. */
  readonly parent?: string;
  /**
   * One shared number; above 0 asks the training to stop after its step. Ending the thread from outside instead would
   * kill the process where the thread is inside the native library.
   */
  readonly stop: Int32Array;
}

/** What the thread says, the last message being DONE or FAILED. */
export type TrainingMessage =
  | { readonly kind: "PROGRESS"; readonly progress: Progress }
  | { readonly kind: "METRICS"; readonly event: MetricsEvent }
  | { readonly kind: "FLOWS"; readonly statistics: readonly FlowStatistic[] }
  | { readonly kind: "DONE"; readonly checkpoint: Uint8Array; readonly timings: TrainingTimings }
  | {
      readonly kind: "FAILED";
      /** Absent for a fault of ours. */
      readonly code?: ErrorCode;
      readonly message: string;
      readonly detail: ErrorDetail;
      readonly stack: string;
    };

/** Milliseconds: a step may take one, and nobody reads a thousand reports a second. */
const progressInterval = 500;

await carryOut(workerData as TrainingOrder).catch((error: unknown) => {
  const { message, stack = message } = error instanceof Error ? error : new Error(String(error));
  const expected = error instanceof ProductError ? { code: error.code, detail: error.detail } : { detail: {} };
  tell({ kind: "FAILED", message, stack, ...expected });
});

async function carryOut({ spec, pluginsFolder, shape, files, parent, stop }: TrainingOrder): Promise<void> {
  const { plugins } = await loadPlugins(pluginsFolder);
  const { checkpoint, timings } = await runTraining({
    spec,
    plugin: backbonePlugin(plugins, spec.model.backbone.name),
    engine: await createEngine(spec.engine),
    shape,
    rows: {
      train: await readSplit(files.train),
      validation: await readSplit(files.validation),
      test: await readSplit(files.test),
    },
    ...(parent === undefined ? {} : { parent: decodeCheckpoint(await readFile(parent)) }),
    hooks: reports(stop),
  });
  tell({ kind: "DONE", checkpoint: encodeCheckpoint(checkpoint), timings });
}

function reports(stop: Int32Array): TrainingHooks {
  let last = -Infinity;
  return {
    progress(progress) {
      if (Atomics.load(stop, 0) > 0) throw new Error("training: stopped because it was asked to");
      const now = performance.now();
      if (now - last < progressInterval) return;
      last = now;
      tell({ kind: "PROGRESS", progress });
    },
    metrics: (event) => tell({ kind: "METRICS", event }),
    flows: (statistics) => tell({ kind: "FLOWS", statistics }),
  };
}

function tell(message: TrainingMessage): void {
  parentPort!.postMessage(message, message.kind === "DONE" ? [message.checkpoint.buffer as ArrayBuffer] : []);
}
