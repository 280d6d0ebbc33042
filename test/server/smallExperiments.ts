/** Experiments small enough to run in seconds, on the small dataset. */
import type { TestServer } from "./testServer.ts";
import { eventually } from "./testServer.ts";

export const createExperiment = `mutation ($input: CreateExperimentInput!) {
  createExperiment(input: $input) { experiment { id state } }
}`;

/** Begins an experiment; answers its id. */
export async function created({ query }: TestServer, input: object): Promise<string> {
  const { data, errors } = await query(createExperiment, { input });
  if (errors) throw new Error(errors[0]!.message);
  return data.createExperiment.experiment.id;
}

/** Waits until an experiment has ended; answers its state. */
export async function endedExperiment({ query }: TestServer, id: string): Promise<string> {
  return eventually(async () => {
    const { data } = await query(`query ($id: ID!) { experiment(id: $id) { state } }`, { id });
    return data.experiment.state === "RUNNING" ? undefined : data.experiment.state;
  });
}
