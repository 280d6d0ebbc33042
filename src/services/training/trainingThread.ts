/**
 * The entry of the thread that trainings run in, one after the other: reads files, trains, and tells the thread that
 * ordered it. It never touches the store.
 */
import { once } from "node:events";
import { parentPort } from "node:worker_threads";
import { readSplit } from "../../data/arrowFiles.ts";
import { createEngine } from "../../engine/engines.ts";
import { engineVersions } from "../../engine/versions.ts";
import { ProductError } from "../../errors.ts";
import { readLargeFile } from "../../largeFile.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../model/checkpoint.ts";
import { importPlugin } from "../../plugin/registry.ts";
import { measureSize } from "../../serving/modelSize.ts";
import type { TrainingHooks } from "../../training/events.ts";
import { type TrainingControl, TrainingInterrupted } from "../../training/pacer.ts";
import { runTraining } from "../../training/runTraining.ts";
import { isModel, type SavedTraining } from "../../training/trainingState.ts";
import { watchOf } from "../plugins/pluginWatch.ts";
import { type TrainingMessage, type TrainingOrder, wishes } from "./trainingMessages.ts";

/** Milliseconds between two progress reports at first; a long training is reported less often. */
const shortestInterval = 500;
const longestInterval = 5_000;

parentPort!.on("message", (message: TrainingOrder | boolean) => {
  // What is no order is the answer to a state, for which `save` waits.
  if (typeof message === "object") carryOut(message).catch(tellFailure);
});

function tellFailure(error: unknown): void {
  if (error instanceof TrainingInterrupted) return tell({ kind: "INTERRUPTED", reason: error.reason });
  const { message, stack = message } = error instanceof Error ? error : new Error(String(error));
  const expected = error instanceof ProductError ? { code: error.code, detail: error.detail } : { detail: {} };
  tell({ kind: "FAILED", message, stack, ...expected });
}

async function carryOut(order: TrainingOrder): Promise<void> {
  const { run, spec, shape, files, parent, saved } = order;
  tell({ kind: "VERSIONS", versions: engineVersions() });
  const plugin = await importPlugin(order.plugin, watchOf(order.pluginWatch, 0));
  const { checkpoint, predictions, stopReason, timings } = await runTraining({
    run,
    spec,
    plugin,
    engine: await createEngine(spec.engine),
    shape,
    rows: {
      train: await readSplit(files.train),
      validation: await readSplit(files.validation),
      test: await readSplit(files.test),
    },
    ...(parent === undefined ? {} : { parent: decodeCheckpoint(await readLargeFile(parent)) }),
    ...(saved === undefined ? {} : { saved: decodeCheckpoint(await readLargeFile(saved)) as SavedTraining }),
    hooks: reports(),
    control: controlOf(order),
  });
  const bytes = new Uint8Array(predictions.buffer, predictions.byteOffset, predictions.byteLength);
  // A training that has come to its end must not fail over how fast its model is.
  const size = await measureSize(checkpoint, plugin).catch(() => undefined);
  tell({
    kind: "DONE",
    checkpoint: encodeCheckpoint(checkpoint),
    predictions: bytes,
    stopReason,
    timings,
    ...(size ? { size } : {}),
  });
}

function controlOf({ wish, saveEverySeconds }: TrainingOrder): TrainingControl {
  return {
    wish: () => wishes[Atomics.load(wish, 0)]!,
    saveEverySeconds,
    async save(state) {
      const { epoch, step } = state.training;
      tell({ kind: "STATE", bytes: encodeCheckpoint(state), epoch, step, isModel: isModel(state) });
      const [isKept] = (await once(parentPort!, "message")) as [boolean];
      if (!isKept) throw new Error("training: its state could not be kept");
    },
  };
}

function reports(): TrainingHooks {
  const begun = performance.now();
  let last = -Infinity;
  return {
    progress(progress) {
      const now = performance.now();
      const interval = Math.min(Math.max((now - begun) / 100, shortestInterval), longestInterval);
      if (now - last < interval) return;
      last = now;
      tell({ kind: "PROGRESS", progress });
    },
    metrics: (event) => tell({ kind: "METRICS", event }),
    flows: (statistics) => tell({ kind: "FLOWS", statistics }),
    gates: (epoch) => tell({ kind: "GATES", epoch }),
    balance: (weights) => tell({ kind: "BALANCE", weights }),
    statistics: (epoch) => tell({ kind: "STATISTICS", epoch }),
    effects: (effects) => tell({ kind: "EFFECTS", effects }),
    verified: (changes) => tell({ kind: "VERIFIED", changes }),
  };
}

function tell(message: TrainingMessage): void {
  const moved = message.kind === "DONE" ? [message.checkpoint] : message.kind === "STATE" ? [message.bytes] : [];
  parentPort!.postMessage(
    message,
    moved.map(({ buffer }) => buffer as ArrayBuffer),
  );
}
