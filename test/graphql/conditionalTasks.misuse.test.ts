import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prepareShop, shopInput } from "../server/shopDataset.ts";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await prepareShop(server);
});
afterAll(() => server.close());

const registerTask = `mutation ($input: RegisterTaskInput!) { registerTask(input: $input) { task { id } } }`;
const registerDataset = `mutation ($input: RegisterDatasetInput!) { registerDataset(input: $input) { dataset { id } } }`;
const purgePlan = `query ($ids: [ID!]!) { purgePlan(ids: $ids) { blockers { id needs reason } fingerprint } }`;
const purge = `mutation ($input: PurgeInput!) { purge(input: $input) { files } }`;
const deleteNode = `mutation ($id: ID!) { deleteNode(input: { id: $id }) { deleted { id } } }`;

async function registered(input: object): Promise<string> {
  const { data, errors } = await server.query(registerTask, { input });
  if (errors) throw new Error(errors[0]!.message);
  return data.registerTask.task.id;
}

describe("a task is not registered under a condition", () => {
  it.each([
    ["that is not registered", "view", '"view"'],
    ["that is itself", "refund", '"refund"'],
    ["that is no key at all", "", '""'],
  ])("%s", async (_, onlyWhere, received) => {
    expect(await server.refused(registerTask, { input: { key: "refund", onlyWhere } })).toMatchObject({
      code: "INVALID_INPUT",
      field: "input.onlyWhere",
      message: `input.onlyWhere: expected the key of a registered task, got ${received}`,
      hint: "register it with `registerTask` first",
    });
    expect((await server.query(`{ task(key: "refund") { id } }`)).data.task).toBeNull();
  });

  it("that is deleted", async () => {
    const id = await registered({ key: "gone" });
    await server.query(deleteNode, { id });
    expect(await server.refused(registerTask, { input: { key: "after", onlyWhere: "gone" } })).toMatchObject({
      code: "CONFLICT",
      field: "input.onlyWhere",
    });
  });
});

describe("a dataset with a conditional task is refused", () => {
  it("without a label of the condition", async () => {
    const input = { ...shopInput, labels: shopInput.labels.slice(0, 1) };
    expect(await server.refused(registerDataset, { input })).toMatchObject({
      code: "INVALID_INPUT",
      field: "input.labels[0].task",
      message:
        'input.labels[0].task: expected a label of click too, as "conversion" counts only where that is 1, got none',
    });
  });
});

describe("a condition of other tasks", () => {
  it("is not purged before them, and together with them", async () => {
    const over = await registered({ key: "over" });
    const under = await registered({ key: "under", onlyWhere: "over" });
    const last = await registered({ key: "last", onlyWhere: "under" });
    await server.query(deleteNode, { id: over });
    const alone = (await server.query(purgePlan, { ids: [over] })).data.purgePlan;
    expect(alone.blockers).toEqual([{ id: under, needs: over, reason: "DEPENDS" }]);
    expect(await server.refused(purge, { input: { ids: [over], fingerprint: alone.fingerprint } })).toMatchObject({
      code: "CONFLICT",
      field: "input.ids",
    });

    for (const id of [under, last]) await server.query(deleteNode, { id });
    const { fingerprint, blockers } = (await server.query(purgePlan, { ids: [over, under, last] })).data.purgePlan;
    expect(blockers).toEqual([]);
    const { errors } = await server.query(purge, { input: { ids: [over, under, last], fingerprint } });
    expect(errors).toBeUndefined();
    expect((await server.query(`{ task(key: "over") { id } }`)).data.task).toBeNull();
  });
});
