import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { productVersion } from "../../src/services/productVersion.ts";
import { startBulkWorker, untrainedRun } from "./bulkWork.ts";
import { startMadeServer } from "./madeRuns.ts";
import type { MadeServer } from "./madeRuns.ts";
import { smallInput } from "./smallDataset.ts";
import { eventually } from "./testServer.ts";

let made: MadeServer;
/** Versions 1 and 2 of the model `feed` answer both scenarios, 3 knows a click in search alone. */
beforeAll(async () => {
  made = await startMadeServer();
  const { parts } = await startBulkWorker(made);
  const dataset = await made.imported(smallInput);
  await answered(`mutation { registerModel(input: { key: "feed" }) { model { key } } }`);
  for (const run of [
    await untrainedRun(parts, dataset),
    await untrainedRun(parts, dataset, { seed: 2 }),
    await untrainedRun(parts, dataset, { cell: { scenario: "search", task: "click" } }),
  ]) {
    await answered(
      `mutation ($run: ID!) { createModelVersion(input: { model: "feed", run: $run }) { modelVersion { number } } }`,
      { run },
    );
  }
  await moveAlias("champion", 1);
});
afterAll(() => made.close());

async function answered(document: string, variables?: Readonly<Record<string, unknown>>) {
  const { data, errors } = await made.server.query(document, variables);
  if (errors) throw new Error(errors[0]!.message);
  return data;
}

const moveAlias = (alias: string, version: number) =>
  answered(
    `mutation ($alias: String!, $version: Int!) {
      setModelAlias(input: { model: "feed", alias: $alias, version: $version }) { userErrors { message } }
    }`,
    { alias, version },
  );

async function get(path: string) {
  const response = await fetch(made.server.url + path);
  return { status: response.status, body: await response.json() };
}

async function infer(path: string, body: object) {
  const response = await fetch(`${made.server.url}/v2/models/${path}/infer`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answered };
}

interface Answered {
  readonly model_version: string;
  readonly outputs: readonly { readonly name: string; readonly data: readonly number[] }[];
}

/** Two rows: of home, and of search with a missing age and an item that nobody knows. */
const user = { name: "user", datatype: "BYTES", shape: [2], data: ["u1", "u2"] };
const item = { name: "item", datatype: "BYTES", shape: [2], data: ["i2", "never seen"] };
const age = { name: "age", datatype: "FP64", shape: [2], data: [30, null] };
const scenario = { name: "scenario", datatype: "BYTES", shape: [2], data: ["home", "search"] };
const inputs = [user, item, age, scenario];

/** What GraphQL says of the same rows [rows, tasks]. */
async function predicted(model: string): Promise<number[][]> {
  const rows = [0, 1].map((row) => ({
    scenario: scenario.data[row],
    values: { user: user.data[row], item: item.data[row], age: age.data[row] },
  }));
  const { predict } = await answered(
    `query ($model: String!, $rows: [PredictRowInput!]!) {
      predict(model: $model, rows: $rows) { rows { tasks { probability } } }
    }`,
    { model, rows },
  );
  return predict.rows.map(({ tasks }: { tasks: { probability: number }[] }) => tasks.map((task) => task.probability));
}

describe("the Open Inference Protocol", () => {
  it("answers a tensor per column with a tensor of probabilities per task", async () => {
    const [home, search] = await predicted("feed");
    expect(await infer("feed", { id: "req-1", inputs })).toMatchObject({
      status: 200,
      body: {
        model_name: "feed",
        model_version: "1",
        id: "req-1",
        parameters: { "unknown:item": 1 },
        outputs: [
          { name: "click", datatype: "FP32", shape: [2], data: [home![0], search![0]] },
          { name: "like", datatype: "FP32", shape: [2], data: [home![1], search![1]] },
        ],
      },
    });
  });

  it("says what the server is, that it lives and that it is ready", async () => {
    expect(await get("/v2")).toEqual({
      status: 200,
      body: { name: "autoifs", version: productVersion(), extensions: [] },
    });
    expect(await get("/v2/health/live")).toEqual({ status: 200, body: { live: true } });
    expect(await get("/v2/health/ready")).toEqual({ status: 200, body: { ready: true } });
  });

  it("says what a model takes and gives", async () => {
    const shape = [-1];
    const parameters = { optional: true };
    expect(await get("/v2/models/feed")).toEqual({
      status: 200,
      body: {
        name: "feed",
        versions: ["1", "2", "3"],
        platform: "autoifs",
        inputs: [
          { name: "user", datatype: "BYTES", shape },
          { name: "item", datatype: "BYTES", shape },
          { name: "age", datatype: "FP64", shape },
          { name: "tab", datatype: "BYTES", shape, parameters },
          { name: "scenario", datatype: "BYTES", shape },
          { name: "id", datatype: "BYTES", shape, parameters },
        ],
        outputs: [
          { name: "click", datatype: "FP32", shape },
          { name: "like", datatype: "FP32", shape },
        ],
      },
    });
    expect(await get("/v2/models/feed/ready")).toEqual({ status: 200, body: { name: "feed", ready: true } });
  });

  it("finds a version by its number, and by an alias in the name", async () => {
    await moveAlias("challenger", 2);
    const versions = await Promise.all(
      ["feed", "feed/versions/2", "feed@challenger", "feed%40challenger", "feed/versions/1"].map(
        async (path) => (await infer(path, { inputs })).body.model_version,
      ),
    );
    expect(versions).toEqual(["1", "2", "2", "2", "1"]);
    const { outputs } = (await infer("feed/versions/2", { inputs })).body;
    expect(outputs[0]!.data).toEqual((await predicted("feed@2")).map(([click]) => click));
    expect((await get("/v2/models/feed/versions/2/ready")).body).toEqual({ name: "feed", ready: true });
  });

  it("takes the shape [rows, 1], numbers as text, and a column it does not know; gives the outputs that were asked for", async () => {
    const { body } = await infer("feed", { inputs });
    const others = [
      { ...user, shape: [2, 1], data: [["u1"], ["u2"]] },
      item,
      { ...age, datatype: "BYTES", data: ["30", null] },
      scenario,
      { name: "weather", datatype: "BOOL", shape: [2, 1], data: [true, false] },
    ];
    const like = await infer("feed", { inputs: others, outputs: [{ name: "like" }] });
    expect(like.body.outputs).toEqual([body.outputs[1]]);
  });

  it("need not be told the scenario by a model that has one", async () => {
    const { body } = await infer("feed/versions/3", { inputs: [user, item, age] });
    expect(body.outputs).toMatchObject([{ name: "click", shape: [2] }]);
    expect((await get("/v2/models/feed/versions/3")).body).toMatchObject({
      inputs: expect.arrayContaining([expect.objectContaining({ name: "scenario", parameters: { optional: true } })]),
      outputs: [{ name: "click" }],
    });
  });

  it("says which element of which input the model cannot use", async () => {
    const refused = async (given: readonly object[], more: object = {}) => {
      const { status, body } = await infer("feed", { inputs: given, ...more });
      return [status, (body as unknown as { error: string }).error];
    };
    expect(await refused([user, item, { ...age, datatype: "BYTES", data: ["30", "old"] }, scenario])).toEqual([
      400,
      'input "age", element 1: expected a finite number, got "old"',
    ]);
    expect(await refused([user, item, age, { ...scenario, data: ["home", "office"] }])).toEqual([
      400,
      'input "scenario", element 1: expected one of "home", "search", got "office"',
    ]);
    expect(await refused([user, age, scenario])).toEqual([400, 'input "item": expected one of this name, got nothing']);
    expect(await refused([user, item, age])).toEqual([
      400,
      'input "scenario": expected keys of scenarios, "home" or "search", got nothing',
    ]);
    expect(await refused([...inputs, { ...user, name: "id", data: ["", "b"] }])).toEqual([
      400,
      'input "id", element 0: expected a text of 1 to 255 characters, got 0 characters',
    ]);
    expect(await refused([...inputs, { ...age, name: "id" }])).toEqual([
      400,
      'input "id", datatype: expected BYTES, got "FP64"',
    ]);
    expect(await refused(inputs, { outputs: [{ name: "click" }, { name: "buy" }] })).toEqual([
      400,
      'outputs[1].name: expected one of click, like, got "buy"',
    ]);
    const none = inputs.map((input) => ({ ...input, shape: [0], data: [] }));
    expect(await refused(none)).toEqual([400, "inputs: expected 1 to 1000 rows, got 0"]);
  });

  it("keeps rows with names for the outcomes that are told later", async () => {
    const { status } = await infer("feed", {
      inputs: [...inputs, { name: "id", datatype: "BYTES", shape: [2], data: ["row-1", null] }],
    });
    expect(status).toBe(200);
    const { recordOutcomes } = await answered(
      `mutation {
        recordOutcomes(input: { model: "feed", outcomes: [{ id: "row-1", task: "click", label: 1 }] }) { recorded errors { message } }
      }`,
    );
    expect(recordOutcomes).toEqual({ recorded: 1, errors: [] });
  });

  it("answers every request while an alias is moved from version to version", async () => {
    await moveAlias("moving", 1);
    let moving = true;
    const seen: { status: number; version: string }[] = [];
    const ask = async (): Promise<void> => {
      while (moving) {
        const { status, body } = await infer("feed@moving", { inputs });
        seen.push({ status, version: body.model_version });
      }
    };
    const asking = [ask(), ask(), ask(), ask()];
    for (let move = 0; move < 5; move++) {
      const version = 2 - (move % 2);
      await moveAlias("moving", version);
      await eventually(async () => seen.at(-1)?.version === String(version) || undefined);
    }
    moving = false;
    await Promise.all(asking);
    expect(seen.filter(({ status }) => status !== 200)).toEqual([]);
    expect([...new Set(seen.map(({ version }) => version))].sort()).toEqual(["1", "2"]);
    // From the next request on.
    await moveAlias("moving", 2);
    expect((await infer("feed@moving", { inputs })).body.model_version).toBe("2");
  });
});
