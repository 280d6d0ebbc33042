/** `autoifs compare`. */
import type { Command } from "../command.ts";
import { given, oneOf } from "../command.ts";
import { figure, table } from "../table.ts";

export const compareCommand: Command = {
  name: "compare",
  takes: ["<baseline>", "<candidate>"],
  summary: "Compare runs cell by cell, with a verdict that knows the noise",
  details: "Each side is the id of a run, or several ids with commas between them, which differ in their seed alone.",
  options: { split: { value: "<split>", text: "TEST or VALIDATION; default TEST." } },
  example: "compare run_0123456789abcdef run_fedcba9876543210,run_00112233445566ff",
  async run(call) {
    const { args } = call;
    const ids = (name: string): string[] => args[name]!.split(",").filter(Boolean);
    const split = oneOf(call, "split", ["TEST", "VALIDATION"]);
    const comparison = await call
      .client()
      .compareRuns({ baseline: ids("baseline"), candidate: ids("candidate"), ...given({ split }) });
    const rows = comparison.cells.map(({ scenario, task, auc, logloss }) => [
      scenario.key,
      task.key,
      figure(auc.baseline),
      figure(auc.candidate),
      auc.verdict ?? auc.reason ?? "–",
      figure(logloss.baseline),
      figure(logloss.candidate),
      logloss.verdict ?? logloss.reason ?? "–",
    ]);
    const header = ["scenario", "task", "AUC before", "after", "verdict", "logloss before", "after", "verdict"];
    const { better, worse, withinNoise } = comparison.auc;
    const summary = `AUC: better in ${better}, worse in ${worse}, within noise in ${withinNoise} cells\n`;
    return { json: comparison, text: `${table(header, rows, "There are no cells.")}\n${summary}` };
  },
};
