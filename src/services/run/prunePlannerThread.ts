/** The entry of the thread that plans prunes: predicts the validation rows of a search once, then plans by arithmetic. */
import { parentPort } from "node:worker_threads";
import { readSplit } from "../../data/arrowFiles.ts";
import { createEngine, defaultEngine } from "../../engine/engines.ts";
import { readLargeFile } from "../../largeFile.ts";
import { decodeCheckpoint } from "../../model/checkpoint.ts";
import { importPlugin } from "../../plugin/registry.ts";
import { createScorer } from "../../serving/predictor.ts";
import { prunePlan, type SearchedRows, searchedRows } from "../../training/prunePlan.ts";
import { sentError } from "../prediction/sentErrors.ts";
import { watchOf } from "../plugins/pluginWatch.ts";
import { verifyFile } from "../storedFile.ts";
import type { PrunePlanAnswer, PrunePlanOrder } from "./prunePlanOrder.ts";

/** Searches that are remembered at most, and the bytes of their predictions together; the one asked last is always. */
const mostSearches = 4;
const mostBytes = 2 ** 29;

/** By checkpoint, the one asked longest ago first. */
const searches = new Map<string, SearchedRows>();

parentPort!.on("message", (order: PrunePlanOrder) => {
  carryOut(order)
    .catch((error: unknown): PrunePlanAnswer => ({ kind: "FAILED", error: sentError(error) }))
    .then((answer) => parentPort!.postMessage(answer));
});

async function carryOut(order: PrunePlanOrder): Promise<PrunePlanAnswer> {
  const key = `${order.checkpoint.sha256} ${order.validation.sha256}`;
  const searched = searches.get(key) ?? (await predicted(order));
  searches.delete(key);
  searches.set(key, searched);
  forgetOldest();
  const { cells } = prunePlan(order.rule, searched);
  return { kind: "PLANNED", cells };
}

async function predicted({ checkpoint, validation, ...order }: PrunePlanOrder): Promise<SearchedRows> {
  for (const file of [checkpoint, validation]) await verifyFile(file, "planPrune");
  const plugin = await importPlugin(order.plugin, watchOf(order.pluginWatch, 0));
  const search = decodeCheckpoint(await readLargeFile(checkpoint.path));
  const rows = await readSplit(validation.path);
  const scorer = await createScorer(await createEngine(defaultEngine), plugin, search);
  try {
    return await searchedRows(scorer, search, rows);
  } finally {
    await scorer.release();
  }
}

function forgetOldest(): void {
  const total = (): number => [...searches.values()].reduce((sum, searched) => sum + bytesOf(searched), 0);
  for (const key of searches.keys()) {
    if (searches.size === 1 || (searches.size <= mostSearches && total() <= mostBytes)) return;
    searches.delete(key);
  }
}

/** Of the predictions, and of the rows' scenarios and labels. */
function bytesOf({ predictions, answered, rows }: SearchedRows): number {
  const { probabilities, partialLogits, gateLogits } = predictions;
  const arrays = [
    probabilities,
    partialLogits,
    gateLogits,
    rows.scenario,
    rows.labels,
    ...(answered ? [answered] : []),
  ];
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
