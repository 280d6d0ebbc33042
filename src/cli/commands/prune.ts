/** `autoifs prune` and `autoifs plan`. */
import type { PlanPruneInput, PruneModelInput, ResultOf } from "../../client/index.ts";
import type { Call, Command, Option } from "../command.ts";
import { given, number, oneOf, waitOption, wholeNumber } from "../command.ts";
import { readJsonObject } from "../jsonFiles.ts";
import { shownRun } from "../shownRun.ts";
import { table } from "../table.ts";
import { waitForRun } from "../waitForRun.ts";

type Change = ResultOf<"planPrune">["cells"][number]["auc"];

const ruleOptions: Readonly<Record<string, Option>> = {
  threshold: {
    value: "<gate>",
    text: "A flow is removed where its gate is above this, between 0 and 1; default 0.5.",
  },
  "target-auc": {
    value: "<fall>",
    text: "Instead of a threshold: remove as many flows as can go without the AUC of their cell falling by more.",
  },
  granularity: { value: "<granularity>", text: "ROW or CELL; default: as the gates of the search are." },
  "allowed-auc": { value: "<fall>", text: "By how much the AUC of a cell may fall on the validation split." },
  "allowed-logloss": { value: "<rise>", text: "By how much the log-loss of a cell may rise there." },
};

export const planCommand: Command = {
  name: "plan",
  takes: ["<run>"],
  summary: "Show what a prune of a finished search would remove, and what that does to every cell",
  details: "Nothing is trained and nothing is written. Changes are of the validation split, with their 95 % intervals.",
  options: ruleOptions,
  example: "plan run_0123456789abcdef --granularity CELL --allowed-auc 0.002",
  async run(call) {
    const input: PlanPruneInput = { run: call.args["run"]!, ...ruleOf(call) };
    const plan = await call.client().planPrune({ input });
    const rows = plan.cells.map(({ scenario, task, flows, auc, logloss }) => [
      scenario.key,
      task.key,
      ...flows.map(({ shareRemoved }) => `${Math.round(100 * shareRemoved)} %`),
      changeText(auc),
      changeText(logloss),
    ]);
    const flowNames = plan.cells[0]?.flows.map(({ flow }) => flow) ?? [];
    const header = ["scenario", "task", ...flowNames, "change of AUC", "change of logloss"];
    const { breaks } = plan;
    const verdict = breaks
      ? `The ${breaks.metric} of ${breaks.scenario.key} × ${breaks.task.key} would get worse by more than ${breaks.allowed}.\n`
      : plan.allowedLoss && "Every cell keeps to what it may lose.\n";
    return { json: plan, text: [table(header, rows, "There are no cells."), verdict && `\n${verdict}`].join("") };
  },
};

export const pruneCommand: Command = {
  name: "prune",
  takes: ["<run>"],
  summary: "Queue the pruning of a finished search, and the retraining after it",
  details:
    "Where a cell loses more than allowed the run ends FAILED, and all else stays as it was. Ctrl-C while it waits leaves the run alive.",
  options: {
    ...ruleOptions,
    seed: { value: "<n>", text: "Of all randomness; default: that of the search." },
    input: {
      value: "<file>",
      text: "JSON with further members of PruneModelInput (docs/api.md); options replace them.",
    },
    ...waitOption,
  },
  example: "prune run_0123456789abcdef --threshold 0.4 --wait",
  async run(call) {
    const { args, options, client } = call;
    const file = options["input"] === undefined ? {} : await readJsonObject(options["input"]);
    const chosen = given({ ...ruleOf(call), seed: wholeNumber(call, "seed") });
    const input = { ...file, ...chosen, run: args["run"]! } as unknown as PruneModelInput;
    const { run } = await client().pruneModel({ input });
    if (call.switches.has("wait")) return shownRun(await waitForRun(call, run.id));
    return { json: run, text: `${run.id} is ${run.state}. Follow it: autoifs run ${run.id} --wait\n` };
  },
};

/** Throws UsageError. */
function ruleOf(call: Call): Omit<PlanPruneInput, "run"> {
  const target = number(call, "target-auc");
  const allowedLoss = given({ auc: number(call, "allowed-auc"), logloss: number(call, "allowed-logloss") });
  return given({
    threshold: number(call, "threshold"),
    target: target === undefined ? undefined : { auc: target },
    granularity: oneOf(call, "granularity", ["ROW", "CELL"]),
    allowedLoss: Object.keys(allowedLoss).length === 0 ? undefined : allowedLoss,
  });
}

/** `-0.0012 (-0.0030 to 0.0006)`. */
function changeText({ value, low, high, reason }: Change): string {
  if (value === null) return reason ?? "–";
  const interval = low === null || high === null ? "" : ` (${low.toFixed(4)} to ${high.toFixed(4)})`;
  return `${value.toFixed(4)}${interval}`;
}
