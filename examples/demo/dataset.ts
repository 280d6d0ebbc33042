/** The first half of the demo: scenarios, tasks, the upload of the bundled file, and its import. */
import { readFile } from "node:fs/promises";
import type { Query } from "./client.ts";
import { beginStep } from "./terminal.ts";

const file = "kuairand-pure-small.csv.gz";

const scenarios = [
  { key: "tab_0", name: "Tab 0", value: "0" },
  { key: "tab_1", name: "Tab 1", value: "1" },
  { key: "tab_4", name: "Tab 4", value: "2" },
];

const tasks = [
  { key: "click", name: "Click" },
  { key: "long_view", name: "Long view" },
];

// The numeric ones are bucketed in the file already. The scenario is an input too: the gates see it only there.
const columns = [
  "user_id video_id user_active_degree is_live_streamer is_video_author follow_user_num_range fans_user_num_range",
  "friend_user_num_range register_days_range onehot_feat0 onehot_feat1 onehot_feat2 onehot_feat6 onehot_feat10",
  "upload_type music_type video_duration show_cnt like_cnt scenario",
].flatMap((line) => line.split(" "));
const rare = new Set(["user_id", "video_id"]);

export interface DatasetAnswer {
  readonly id: string;
  readonly version: number | null;
  readonly status: "IMPORTING" | "READY" | "FAILED";
  readonly error: { readonly message: string } | null;
  readonly vocabularySize: number | null;
  readonly counts:
    | readonly {
        readonly split: string;
        readonly scenario: { readonly key: string };
        readonly task: { readonly key: string };
        readonly rows: number;
        readonly positives: number;
      }[]
    | null;
}

/** Registers what is not registered yet. */
export async function registerScenariosAndTasks(query: Query): Promise<void> {
  const step = beginStep("Scenarios and tasks");
  const known = await query<Record<"scenarios" | "tasks", { nodes: { key: string }[] }>>(/* GraphQL */ `
    query Known {
      scenarios(first: 100) {
        nodes {
          key
        }
      }
      tasks(first: 100) {
        nodes {
          key
        }
      }
    }
  `);
  const keys = (list: "scenarios" | "tasks"): Set<string> => new Set(known[list].nodes.map(({ key }) => key));
  for (const { key, name } of scenarios.filter((scenario) => !keys("scenarios").has(scenario.key))) {
    await query(
      /* GraphQL */ `
        mutation RegisterScenario($input: RegisterScenarioInput!) {
          registerScenario(input: $input) {
            scenario {
              id
            }
          }
        }
      `,
      { input: { key, name } },
    );
  }
  for (const { key, name } of tasks.filter((task) => !keys("tasks").has(task.key))) {
    await query(
      /* GraphQL */ `
        mutation RegisterTask($input: RegisterTaskInput!) {
          registerTask(input: $input) {
            task {
              id
            }
          }
        }
      `,
      { input: { key, name } },
    );
  }
  step.done([...scenarios, ...tasks].map(({ key }) => key).join(", "));
}

/** Uploads the bundled file, registers it, and waits until it is imported. */
export async function importDataset(url: string, query: Query): Promise<DatasetAnswer> {
  const upload = beginStep("Upload");
  const response = await fetch(`${url}/uploads/${file}`, {
    method: "PUT",
    body: new Uint8Array(await readFile(new URL(`../${file}`, import.meta.url))),
  });
  if (!response.ok) throw new Error(`upload: ${await response.text()}`);
  const uploaded = (await response.json()) as { file: string; bytes: number };
  upload.done(`${uploaded.file}, ${Math.round(uploaded.bytes / 1024)} KiB`);

  const step = beginStep("Import");
  const { registerDataset } = await query<{ registerDataset: { dataset: { id: string }; created: boolean } }>(
    /* GraphQL */ `
      mutation RegisterDataset($input: RegisterDatasetInput!) {
        registerDataset(input: $input) {
          dataset {
            id
          }
          created
        }
      }
    `,
    {
      input: {
        name: "kuairand",
        file: uploaded.file,
        fields: columns.map((column) => ({ column, minimumCount: rare.has(column) ? 2 : 1 })),
        scenario: { column: "scenario", values: scenarios.map(({ key, value }) => ({ value, scenario: key })) },
        labels: tasks.map(({ key }) => ({ column: key, task: key })),
        split: { kind: "COLUMN", column: "split", train: "train", validation: "valid", test: "test" },
      },
    },
  );
  for (;;) {
    const dataset = await readDataset(query, registerDataset.dataset.id);
    if (dataset.status === "FAILED") throw new Error(`import: ${dataset.error?.message}`);
    if (dataset.status === "READY") {
      const known = registerDataset.created ? "" : ", known already";
      step.done(`kuairand version ${dataset.version}, ${dataset.vocabularySize} embedding rows${known}`);
      return dataset;
    }
    step.update("reading, checking, encoding");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function readDataset(query: Query, id: string): Promise<DatasetAnswer> {
  const { dataset } = await query<{ dataset: DatasetAnswer }>(
    /* GraphQL */ `
      query Dataset($id: ID!) {
        dataset(id: $id) {
          id
          version
          status
          error {
            message
          }
          vocabularySize
          counts {
            split
            scenario {
              key
            }
            task {
              key
            }
            rows
            positives
          }
        }
      }
    `,
    { id },
  );
  return dataset;
}
