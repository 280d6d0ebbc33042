/** Models small enough to train in a second, on the small dataset. */
import { ended } from "./smallDataset.ts";
import type { TestServer } from "./testServer.ts";

export const backbone = { plugin: "shared-bottom", config: { layers: [8] } };
export const autoIfs = { kind: "AUTOIFS", scenarioLayers: [4], gateLayers: [8] };
export const hyperParameters = { embeddingDim: 4, batchSize: 64, maxEpochs: 2, search: { epochs: 2 } };

export const trainModel = `mutation ($input: TrainModelInput!) { trainModel(input: $input) { run { id state } } }`;
export const pruneModel = `mutation ($input: PruneModelInput!) { pruneModel(input: $input) { run { id state } } }`;

/** Queues a run and waits until it has SUCCEEDED; answers its id. */
export async function trained(server: TestServer, document: string, input: object): Promise<string> {
  const { data, errors } = await server.query(document, { input });
  if (errors) throw new Error(errors[0]!.message);
  const { id } = (data.trainModel ?? data.pruneModel).run;
  const state = await ended(server, id);
  if (state !== "SUCCEEDED") throw new Error(`${id} is ${state}: ${server.log.join("\n")}`);
  return id;
}
