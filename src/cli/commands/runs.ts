/** `autoifs runs`, `autoifs run`, and what can be done to a run. */
import type { Client, ResultOf } from "../../client/index.ts";
import { InvalidInputError } from "../../errors.ts";
import type { Command } from "../command.ts";
import { given, oneOf, waitOption, wholeNumber } from "../command.ts";
import { shownRun } from "../shownRun.ts";
import { figure, table, time } from "../table.ts";
import { waitForRun } from "../waitForRun.ts";

type RunSummary = ResultOf<"runs">["nodes"][number];

const pageSize = 100;

export const runCommands: readonly Command[] = [
  {
    name: "runs",
    takes: [],
    summary: "List runs with their figures on the test split, newest first",
    options: {
      state: { value: "<state>", text: "Only QUEUED, RUNNING, PAUSED, SUCCEEDED, FAILED or CANCELLED ones." },
      kind: { value: "<kind>", text: "Only SEARCH, PRUNE or TRAIN." },
      dataset: { value: "<id>", text: "Only those on this dataset." },
      backbone: { value: "<plugin>", text: "Only those with this backbone." },
      limit: { value: "<n>", text: "How many at most; default 20." },
    },
    example: "runs --state SUCCEEDED --backbone ple",
    async run(call) {
      const { dataset, backbone } = call.options;
      const filter = given({
        state: oneOf(call, "state", ["QUEUED", "RUNNING", "PAUSED", "SUCCEEDED", "FAILED", "CANCELLED"]),
        kind: oneOf(call, "kind", ["SEARCH", "PRUNE", "TRAIN", "EXTEND"]),
        dataset,
        backbone,
      });
      const limit = wholeNumber(call, "limit") ?? 20;
      const first = Math.max(1, Math.min(limit, pageSize));
      const runs: RunSummary[] = [];
      for await (const run of call.client().pages("runs", { first, filter })) {
        if (runs.length >= limit) break;
        runs.push(run);
      }
      const header = ["id", "kind", "state", "dataset", "backbone", "seed", "AUC", "logloss", "queued"];
      return { json: runs, text: table(header, runs.map(rowOf), "There are no such runs.") };
    },
  },
  {
    name: "run",
    takes: ["<run>"],
    summary: "Show a run with its figures per scenario and task",
    options: waitOption,
    example: "run run_0123456789abcdef --wait",
    async run(call) {
      const id = call.args["run"]!;
      if (call.switches.has("wait")) return shownRun(await waitForRun(call, id));
      const run = await call.client().run({ id });
      if (!run) throw new InvalidInputError(`run: expected the id of a run, got "${id}"`);
      return { ...shownRun(run), hasSucceeded: true };
    },
  },
  move("cancel", "End a run; it keeps the best checkpoint it had", (client, input) => client.cancelRun({ input })),
  move("pause", "Hold a run, to go on from the same place later", (client, input) => client.pauseRun({ input })),
  move("resume", "Let a paused run go on", (client, input) => client.resumeRun({ input })),
];

function move(
  name: string,
  summary: string,
  perform: (client: Client, input: { run: string }) => Promise<{ readonly run: RunSummary }>,
): Command {
  return {
    name,
    takes: ["<run>"],
    summary,
    example: `${name} run_0123456789abcdef`,
    async run({ client, args }) {
      const { run } = await perform(client(), { run: args["run"]! });
      return { json: run, text: `${run.id} is ${run.state}\n` };
    },
  };
}

function rowOf(run: RunSummary): string[] {
  const mean = (name: string): string => figure(run.metrics.find((metric) => metric.name === name)?.mean);
  const { id, kind, state, dataset, backbone, seed, createdAt } = run;
  return [id, kind, state, dataset.name, backbone.name, String(seed), mean("AUC"), mean("LOGLOSS"), time(createdAt)];
}
