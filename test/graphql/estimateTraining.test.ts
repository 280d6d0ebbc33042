import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imported, prepareSmall } from "../server/smallDataset.ts";
import { autoIfs, backbone, hyperParameters } from "../server/smallModels.ts";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

const estimates = `query ($search: TrainModelInput!, $towers: TrainModelInput!) {
  search: estimateTraining(input: $search) { ...Whole }
  towers: estimateTraining(input: $towers) { ...Whole }
}
fragment Whole on TrainingEstimate {
  epochs { atLeast atMost } seconds { atLeast atMost } secondsPerEpoch samplesPerSecond compileSeconds
  peakBytes parameters checkpointBytes probe { steps seconds }
}`;

let server: TestServer;
let dataset: string;
// What is expected of an estimate is asserted below.
// oxlint-disable-next-line no-explicit-any
let data: any;

beforeAll(async () => {
  server = await startTestServer({ works: true });
  await prepareSmall(server);
  dataset = await imported(server);
  const numbers = { embeddingDim: 4, batchSize: 64, maxEpochs: 50, patience: 3 };
  const search = { dataset, backbone, head: autoIfs, hyperParameters };
  const towers = { dataset, backbone, head: { kind: "TOWERS" }, hyperParameters: numbers, budget: { epochs: 20 } };
  ({ data } = await server.query(estimates, { search, towers }));
});
afterAll(() => server.close());

describe("the estimate of a training", () => {
  it("tells time and memory of a search, all of whose epochs are done", () => {
    const { epochs, seconds, peakBytes, probe, ...rates } = data.search;
    expect(epochs).toEqual({ atLeast: 2, atMost: 2 });
    expect(seconds.atMost).toBe(seconds.atLeast);
    expect(seconds.atMost).toBeGreaterThan(2 * rates.secondsPerEpoch + rates.compileSeconds);
    expect(rates.secondsPerEpoch).toBeGreaterThan(240 / rates.samplesPerSecond);
    expect(probe.steps).toBeGreaterThan(1);
    expect(probe.seconds).toBeGreaterThan(0);
    // The libraries alone take more than that.
    expect(peakBytes).toBeGreaterThan(50e6);
  });

  it("counts the parameters and weighs the model", async () => {
    const { parameters, checkpointBytes } = data.search;
    const answer = await server.query(`query ($id: ID!) { dataset(id: $id) { vocabularySize } }`, { id: dataset });
    expect(parameters).toBeGreaterThan(answer.data.dataset.vocabularySize * hyperParameters.embeddingDim);
    expect(checkpointBytes).toBeGreaterThan(4 * parameters);
  });

  it("says how early a training with patience may end, and that it ends with its budget", () => {
    const { epochs, seconds, secondsPerEpoch } = data.towers;
    expect(epochs).toEqual({ atLeast: 5, atMost: 20 });
    expect(seconds.atMost - seconds.atLeast).toBeCloseTo(15 * secondsPerEpoch, 9);
  });

  it("writes nothing", async () => {
    expect((await server.query(`{ runs { nodes { id } } }`)).data.runs.nodes).toEqual([]);
  });
});
