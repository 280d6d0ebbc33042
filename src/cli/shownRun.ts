/** A run with its model's figures, for people. */
import type { Result } from "./command.ts";
import { duration, facts, figure, table, time } from "./table.ts";
import type { RunDetail } from "./waitForRun.ts";

/** It has not succeeded where the run has ended without its model. */
export function shownRun(run: RunDetail): Result {
  const {
    id,
    kind,
    state,
    dataset,
    backbone,
    head,
    error,
    stopReason,
    progress,
    matrix,
    parent,
    startedAt,
    finishedAt,
  } = run;
  const seconds = startedAt && finishedAt ? (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000 : undefined;
  const text = facts([
    ["id", id],
    ["kind", kind],
    ["state", stopReason && stopReason !== "COMPLETED" ? `${state} (${stopReason})` : state],
    ["error", error && `${error.code}: ${error.message}`],
    ["dataset", `${dataset.id} (${dataset.name})`],
    ["backbone", `${backbone.name}, head ${head.__typename === "TowersHead" ? "TOWERS" : "AUTOIFS"}`],
    ["prunes", parent?.id],
    ["seed", String(run.seed)],
    ["queued", time(run.createdAt)],
    ["took", seconds === undefined ? undefined : duration(seconds)],
    ["at", state === "RUNNING" && progress ? `epoch ${progress.epoch} of ${progress.epochs}` : undefined],
    ["mean test AUC", matrix && figure(matrix.meanAuc)],
    ["mean test logloss", matrix && figure(matrix.meanLogloss)],
  ]);
  const rows = (matrix?.cells ?? []).map((cell) => [
    cell.scenario.key,
    cell.task.key,
    figure(cell.auc),
    figure(cell.logloss),
    cell.rows.toLocaleString("en"),
  ]);
  const cells = matrix ? `\n${table(["scenario", "task", "AUC", "logloss", "rows"], rows, "")}` : "";
  return { json: run, text: `${text}${cells}`, hasSucceeded: state !== "FAILED" && state !== "CANCELLED" };
}
