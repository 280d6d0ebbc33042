/** `autoifs predict`. */
import type { PredictRowInput, ResultOf } from "../../client/index.ts";
import type { Command } from "../command.ts";
import { UsageError } from "../command.ts";
import { readJsonLines } from "../jsonFiles.ts";
import { figure, table } from "../table.ts";

type Prediction = ResultOf<"predict">;

/** Rows of one request. */
const atOnce = 1000;

export const predictCommand: Command = {
  name: "predict",
  takes: ["<run>"],
  summary: "Ask the model of a run for the probability of every task",
  details:
    'Each line of the file is a row as in {"scenario": "home", "values": {"user": "u1", "age": 31}}, with the values as they stand in the file the model was trained on.',
  options: { rows: { value: "<file>", text: "The rows, one JSON object per line; required." } },
  example: "predict run_0123456789abcdef --rows rows.jsonl",
  async run({ client, args, options }) {
    const { rows: path } = options;
    if (path === undefined) throw new UsageError("predict: expected --rows <file>, got none");
    const rows = (await readJsonLines(path)) as unknown as PredictRowInput[];
    const answers: Prediction[] = [];
    for (let from = 0; from < rows.length; from += atOnce) {
      answers.push(await client().predict({ run: args["run"]!, rows: rows.slice(from, from + atOnce) }));
    }
    const predicted = answers.flatMap((answer) => answer.rows);
    const unknown = unknownValues(answers);
    const tasks = predicted[0]?.tasks.map(({ task }) => task.key) ?? [];
    const text = table(
      ["row", "scenario", ...tasks],
      predicted.map((row, i) => [String(i + 1), row.scenario.key, ...row.tasks.map((one) => figure(one.probability))]),
      "There are no rows.",
    );
    const notes = unknown.map(
      ({ column, rows: count }) => `${column}: ${count} rows have a value unknown to the model\n`,
    );
    return { json: { run: args["run"], rows: predicted, unknownValues: unknown }, text: [text, ...notes].join("") };
  },
};

function unknownValues(answers: readonly Prediction[]): { column: string; rows: number }[] {
  const sums = new Map<string, number>();
  for (const { column, rows } of answers.flatMap((answer) => answer.unknownValues)) {
    sums.set(column, (sums.get(column) ?? 0) + rows);
  }
  return [...sums].map(([column, rows]) => ({ column, rows }));
}
