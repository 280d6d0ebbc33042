/** `autoifs prune`. */
import type { PruneModelInput } from "../../client/index.ts";
import type { Command } from "../command.ts";
import { given, number, waitOption, wholeNumber } from "../command.ts";
import { readJsonObject } from "../jsonFiles.ts";
import { shownRun } from "../shownRun.ts";
import { waitForRun } from "../waitForRun.ts";

export const pruneCommand: Command = {
  name: "prune",
  takes: ["<run>"],
  summary: "Queue the pruning of a finished search, and the retraining after it",
  details: "Ctrl-C while it waits leaves the run alive.",
  options: {
    threshold: {
      value: "<gate>",
      text: "A flow is removed where its gate is above this, between 0 and 1; default 0.5.",
    },
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
    const chosen = given({ threshold: number(call, "threshold"), seed: wholeNumber(call, "seed") });
    const input = { ...file, ...chosen, run: args["run"]! } as unknown as PruneModelInput;
    const { run } = await client().pruneModel({ input });
    if (call.switches.has("wait")) return shownRun(await waitForRun(call, run.id));
    return { json: run, text: `${run.id} is ${run.state}. Follow it: autoifs run ${run.id} --wait\n` };
  },
};
