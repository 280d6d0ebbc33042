/** The tables the demo ends with. */
import type { Query } from "./client.ts";
import type { DatasetAnswer } from "./dataset.ts";
import type { RunAnswer } from "./runs.ts";
import { table } from "./terminal.ts";

export function countsTable({ counts }: DatasetAnswer): string {
  const rows = (counts ?? []).map(({ split, scenario, task, rows, positives }) => [
    split.toLowerCase(),
    scenario.key,
    task.key,
    rows.toLocaleString("en"),
    positives.toLocaleString("en"),
    rows > 0 ? `${((100 * positives) / rows).toFixed(1)} %` : "–",
  ]);
  return table("The dataset, per cell", ["split", "scenario", "task", "rows", "positives", "share"], rows);
}

export type Model = readonly [name: string, run: RunAnswer];

/** Test AUC and logloss of every model, cell by cell, and the means. */
export function comparisonTable(models: readonly Model[]): string {
  const figure = (value: number | null | undefined): string => value?.toFixed(4) ?? "–";
  const cells = models[0]![1].matrix!.cells;
  const rows = cells.map(({ scenario, task }, i) => [
    scenario.key,
    task.key,
    ...models.flatMap(([, { matrix }]) => [figure(matrix!.cells[i]!.auc), figure(matrix!.cells[i]!.logloss)]),
  ]);
  const mean = ["mean", "", ...models.flatMap(([, { matrix }]) => [figure(matrix!.meanAuc), ""])];
  const header = ["scenario", "task", ...models.flatMap(([name]) => [`${name} AUC`, "logloss"])];
  return table("Test split: AUC (higher is better) and logloss (lower is better)", header, [...rows, mean]);
}

/** Which share of the rows of a cell does without a flow. */
export function flowsTable({ flows }: RunAnswer): string {
  const names = ["SHARED_SHARED", "SCENARIO_TASK", "SHARED_TASK", "SCENARIO_SHARED"];
  const cells = [...new Set(flows.map(({ scenario, task }) => `${scenario.key} ${task.key}`))];
  const rows = cells.map((cell) => [
    ...cell.split(" "),
    ...names.map((name) => {
      const found = flows.find(({ scenario, task, flow }) => `${scenario.key} ${task.key}` === cell && flow === name);
      return found ? `${(100 * found.shareRemoved).toFixed(1)} %` : "–";
    }),
  ]);
  return table("Pruned AutoIFS: rows in which a flow is removed", ["scenario", "task", ...names], rows);
}

interface PredictionAnswer {
  readonly predict: {
    readonly rows: readonly {
      readonly tasks: readonly {
        readonly task: { readonly key: string };
        readonly probability: number;
        readonly partials: Readonly<Record<string, number>>;
        readonly gates: Readonly<Record<string, number>>;
      }[];
    }[];
  };
}

/** A row as it stands in the file, in the tab most rows are from. */
const row = {
  scenario: "tab_1",
  // prettier-ignore
  values: {
    user_id: "12037", video_id: "6504", user_active_degree: "full_active", is_live_streamer: "1", is_video_author: "1",
    follow_user_num_range: "(0~10]", fans_user_num_range: "[10~100)", friend_user_num_range: "0",
    register_days_range: "730+", onehot_feat0: "1", onehot_feat1: "2", onehot_feat2: "29", onehot_feat6: "1",
    onehot_feat10: "3", upload_type: "LongImport", music_type: "9", video_duration: "123", show_cnt: "134", like_cnt: "54",
  },
};

/** Asks the model for one row: probability, partial logits, and the gates over them. */
export async function predictionTable(query: Query, run: RunAnswer): Promise<string> {
  const { predict } = await query<PredictionAnswer>(
    /* GraphQL */ `
      query Predict($run: ID!, $rows: [PredictRowInput!]!) {
        predict(run: $run, rows: $rows) {
          rows {
            tasks {
              task {
                key
              }
              probability
              partials {
                full
                sharedShared
                scenarioTask
                sharedTask
                scenarioShared
              }
              gates {
                sharedShared
                scenarioTask
                sharedTask
                scenarioShared
              }
            }
          }
        }
      }
    `,
    { run: run.id, rows: [row] },
  );
  const flows = ["sharedShared", "scenarioTask", "sharedTask", "scenarioShared"];
  const rows = predict.rows[0]!.tasks.map(({ task, probability, partials, gates }) => [
    task.key,
    probability.toFixed(4),
    partials["full"]!.toFixed(4),
    ...flows.map((flow) => (gates[flow] === 1 ? `(${partials[flow]!.toFixed(4)})` : partials[flow]!.toFixed(4))),
  ]);
  return table(
    `One prediction, user ${row.values.user_id} and video ${row.values.video_id} in ${row.scenario}: probability and partial logits (removed ones in brackets)`,
    ["task", "probability", "full", ...flows],
    rows,
  );
}
