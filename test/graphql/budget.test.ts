import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imported, prepareSmall } from "../server/smallDataset.ts";
import { autoIfs, backbone, hyperParameters, pruneModel, trained, trainModel } from "../server/smallModels.ts";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

let server: TestServer;
let dataset: string;

beforeAll(async () => {
  server = await startTestServer({ works: true });
  await prepareSmall(server);
  dataset = await imported(server);
});
afterAll(() => server.close());

describe("a run with a budget", () => {
  const show = `query ($id: ID!) { run(id: $id) { state stopReason budget { epochs seconds } history { epoch } } }`;

  it("ends well once it has used it up", async () => {
    const long = { ...hyperParameters, search: { epochs: 100 } };
    const budget = { epochs: 1 };
    const input = { dataset, backbone, head: autoIfs, hyperParameters: long, budget };
    const search = await trained(server, trainModel, input);
    const ended = {
      state: "SUCCEEDED",
      stopReason: "BUDGET_EPOCHS",
      budget: { epochs: 1, seconds: null },
      history: [{ epoch: 1 }],
    };
    expect((await server.query(show, { id: search })).data.run).toEqual(ended);
    const pruned = await trained(server, pruneModel, { run: search, budget });
    expect((await server.query(show, { id: pruned })).data.run).toEqual(ended);
  });

  it("is refused where the budget is none", async () => {
    const refusal = (budget: object) => server.refused(trainModel, { input: { dataset, backbone, budget } });
    expect(await refusal({ epochs: 0 })).toMatchObject({
      message: "input.budget.epochs: expected at least 1, got 0",
      code: "INVALID_INPUT",
      field: "input.budget.epochs",
    });
    expect(await refusal({ seconds: 0 })).toMatchObject({ field: "input.budget.seconds" });
  });

  it("has cells to be selected by only where the dataset has them", async () => {
    const selection = { over: "WEIGHTED", weights: [{ scenario: "home", task: "buy", weight: 1 }] };
    const input = { dataset, backbone, hyperParameters: { selection } };
    expect(await server.refused(trainModel, { input })).toMatchObject({
      field: "input.hyperParameters.selection.weights[0].task",
      expected: "one of click, like",
    });
  });
});
