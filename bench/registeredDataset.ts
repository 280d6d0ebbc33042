/** The made data as a dataset of a running server. */
import type { Query } from "../examples/demo/client.ts";
import { datasetSpec } from "./synth.ts";

/** Registers a file of the made data's columns and waits until it is imported; its id. */
export async function registeredDataset(query: Query, file: string): Promise<string> {
  for (const { scenario: key } of datasetSpec.scenario.values)
    await query(`mutation ($key: String!) { registerScenario(input: { key: $key }) { scenario { id } } }`, { key });
  for (const { task: key } of datasetSpec.labels)
    await query(`mutation ($key: String!) { registerTask(input: { key: $key }) { task { id } } }`, { key });
  const { registerDataset } = await query<{ registerDataset: { dataset: { id: string } } }>(
    `mutation ($input: RegisterDatasetInput!) { registerDataset(input: $input) { dataset { id } } }`,
    { input: { name: "synth", file, ...datasetSpec } },
  );
  const { id } = registerDataset.dataset;
  await until(async () => {
    const { dataset } = await query<{ dataset: { status: string; error: { message: string } | null } }>(
      `query ($id: ID!) { dataset(id: $id) { status error { message } } }`,
      { id },
    );
    if (dataset.error) throw new Error(dataset.error.message);
    return dataset.status === "READY";
  });
  return id;
}

export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 200));
}
