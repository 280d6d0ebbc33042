/** The first half of the demo: scenarios, tasks, the upload of the bundled file, and its import. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { datasetSpec, file, scenarios, tasks } from "../kuairand.ts";
import type { Query } from "./client.ts";
import { beginStep } from "./terminal.ts";

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
  const response = await fetch(`${url}/uploads/${basename(file.pathname)}`, {
    method: "PUT",
    body: new Uint8Array(await readFile(file)),
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
    { input: { name: "kuairand", file: uploaded.file, ...datasetSpec } },
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
