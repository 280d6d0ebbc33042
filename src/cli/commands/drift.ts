/** `autoifs drift`. */
import type { Client, ResultOf } from "../../client/index.ts";
import type { Call, Command } from "../command.ts";
import { UsageError, wholeNumber } from "../command.ts";
import { figure, table } from "../table.ts";

const mostDays = 366;
const dayMs = 86_400_000;

export const driftCommand: Command = {
  name: "drift",
  takes: ["<model>"],
  summary: "Show how far the rows a model answers have moved away from training, and how its probabilities hold",
  details:
    "The model is its key, key@alias or key@number; the key alone means its champion, or the newest version where there is none. PSI is the population stability index: STABLE below 0.1, SHIFTED from 0.25. The calibration is of rows whose label was told.",
  options: {
    days: { value: "<number>", text: `Of the last so many days, today included, 1 to ${mostDays}; default 7.` },
  },
  example: "drift home_ranker@champion --days 30",
  async run(call) {
    const client = call.client();
    const version = await versionOf(client, call.args["model"]!);
    const days = { ...lastDays(call), version };
    const [drifted, calibrated] = [await client.modelDrift(days), await client.modelCalibration(days)];
    const drift = drifted !== null && "drift" in drifted ? drifted.drift : [];
    const calibration = calibrated !== null && "calibration" in calibrated ? calibrated.calibration : [];
    return {
      json: { version, from: days.from, to: days.to, drift, calibration },
      text: `${driftTable(drift)}\n${calibrationTable(calibration)}`,
    };
  },
};

type Node<Name extends "modelDrift" | "modelCalibration"> = NonNullable<ResultOf<Name>>;
type Drift = Extract<Node<"modelDrift">, { readonly drift: unknown }>["drift"];
type Calibration = Extract<Node<"modelCalibration">, { readonly calibration: unknown }>["calibration"];

function driftTable(drift: Drift): string {
  const rows = drift.map(({ scenario, column, servedRows, psi, unknownTrainingShare, unknownServedShare, verdict }) => [
    scenario.key,
    column,
    String(servedRows),
    figure(psi),
    figure(unknownTrainingShare),
    figure(unknownServedShare),
    verdict,
  ]);
  const header = ["scenario", "field", "rows", "PSI", "unknown in training", "unknown now", "verdict"];
  return table(header, rows, "There are no fields.");
}

function calibrationTable(calibration: Calibration): string {
  const rows = calibration.map(({ scenario, task, rows: count, meanPredicted, meanObserved, ece, auc, logloss }) => [
    scenario.key,
    task.key,
    String(count),
    figure(meanPredicted),
    figure(meanObserved),
    figure(ece),
    figure(auc.value),
    figure(logloss.value),
  ]);
  const header = ["scenario", "task", "labels", "predicted", "observed", "ECE", "AUC", "logloss"];
  return table(header, rows, "There are no cells.");
}

function lastDays(call: Pick<Call, "options">): { from: string; to: string } {
  const days = wholeNumber(call, "days") ?? 7;
  if (days < 1 || days > mostDays) throw new UsageError(`--days: expected 1 to ${mostDays}, got ${days}`);
  const now = Date.now();
  return { from: new Date(now - (days - 1) * dayMs).toISOString(), to: new Date(now).toISOString() };
}

/** The id of the version that a name stands for. */
async function versionOf(client: Client, name: string): Promise<string> {
  const [key, which] = name.split("@", 2) as [string, string | undefined];
  const model = await client.model({ key });
  if (model === null) throw new UsageError(`drift: expected the key of a model, got "${key}"`);
  const alias = model.aliases.find((one) => one.name === (which ?? "champion"));
  const isNewest = which === "latest" || (which === undefined && !alias);
  const numbered = model.versions.nodes.find(({ number }) => String(number) === which);
  const found = isNewest ? model.latestVersion : (alias?.version ?? numbered);
  if (!found) throw new UsageError(`drift: expected a version of ${key}, got "${name}"`);
  return found.id;
}
