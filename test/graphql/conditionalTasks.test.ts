import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prepareShop, shopInput } from "../server/shopDataset.ts";
import { imported } from "../server/smallDataset.ts";
import { autoIfs, backbone, hyperParameters, trained, trainModel } from "../server/smallModels.ts";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

// From two tasks to the probability of both, with a real training.
let server: TestServer;
let dataset: string;
let towers: string;
let search: string;

beforeAll(async () => {
  server = await startTestServer({ works: true });
  await prepareShop(server);
  dataset = await imported(server, shopInput);
  const { search: _, ...plain } = hyperParameters;
  towers = await trained(server, trainModel, { dataset, backbone, head: { kind: "TOWERS" }, hyperParameters: plain });
  search = await trained(server, trainModel, { dataset, backbone, head: autoIfs, hyperParameters });
});
afterAll(() => server.close());

async function answered(document: string, variables?: Readonly<Record<string, unknown>>) {
  const { data, errors } = await server.query(document, variables);
  if (errors) throw new Error(errors[0]!.message);
  return data;
}

const rows = Array.from({ length: 40 }, (_, i) => ({
  id: `row ${i}`,
  scenario: i % 2 === 0 ? "home" : "search",
  values: { user: `u${i % 12}`, item: `i${(i * 5) % 9}` },
}));

const predict = `query ($run: ID, $model: String, $rows: [PredictRowInput!]!, $gateOverride: [GateOverrideInput!]) {
  predict(run: $run, model: $model, rows: $rows, gateOverride: $gateOverride) {
    rows { tasks { taskKey probability conditionalProbability partials { full } } }
  }
}`;

interface Answer {
  readonly taskKey: string;
  readonly probability: number;
  readonly conditionalProbability: number | null;
  readonly partials: { readonly full: number } | null;
}

/** Conversion and click of every row. */
async function predicted(asked: object): Promise<[Answer, Answer][]> {
  const { predict: prediction } = await answered(predict, { rows, ...asked });
  return prediction.rows.map(({ tasks }: { tasks: [Answer, Answer] }) => tasks);
}

describe("a conditional task", () => {
  it("names the task that must be 1 for it to count", async () => {
    expect(
      await answered(
        `{ task(key: "conversion") { onlyWhere { key } } click: task(key: "click") { onlyWhere { key } } }`,
      ),
    ).toEqual({ task: { onlyWhere: { key: "click" } }, click: { onlyWhere: null } });
  });

  it("has in a dataset the labels of both, and the dataset says so", async () => {
    const { dataset: found } = await answered(
      `query ($id: ID!) {
        dataset(id: $id) {
          error { message } warnings { message }
          labels { column task { key } onlyWhere { key } }
          counts { split task { key } rows positives }
        }
      }`,
      { id: dataset },
    );
    expect(found.error).toBeNull();
    expect(found.labels).toEqual([
      { column: "conversion", task: { key: "conversion" }, onlyWhere: { key: "click" } },
      { column: "click", task: { key: "click" }, onlyWhere: null },
    ]);
    const [conversion, click] = found.counts;
    expect(conversion).toMatchObject({ split: "TRAIN", task: { key: "conversion" }, rows: click.rows });
    expect(conversion.positives).toBeGreaterThan(0);
    expect(conversion.positives).toBeLessThan(click.positives);
  });
});

describe("a model with a conditional task", () => {
  it.each([
    ["towers", () => towers],
    ["gates", () => search],
  ])("answers with the probability of both, which is never above the condition's: %s", async (_, run) => {
    for (const [conversion, click] of await predicted({ run: run() })) {
      expect(conversion.taskKey).toBe("conversion");
      expect(conversion.probability).toBeLessThanOrEqual(click.probability);
      expect(conversion.conditionalProbability).toBeCloseTo(conversion.probability / click.probability, 12);
      expect(click.conditionalProbability).toBeNull();
    }
  });

  it("is measured on all rows, and where the condition is 1", async () => {
    const { run } = await answered(`query ($id: ID!) { run(id: $id) { metrics { name mean cells } } }`, { id: towers });
    const of = (name: string) => run.metrics.find((metric: { name: string }) => metric.name === name);
    expect(of("AUC").cells).toBe(4);
    expect(of("CONDITIONAL_AUC")).toEqual({ name: "CONDITIONAL_AUC", mean: expect.any(Number), cells: 2 });
  });

  it("answers under other gates with both composed anew", async () => {
    const before = await predicted({ run: search });
    const same = await predicted({ run: search, gateOverride: [] });
    const gone = ["SHARED_SHARED", "SCENARIO_TASK", "SHARED_TASK", "SCENARIO_SHARED"].map((flow) => ({
      task: "click",
      flow,
      gate: 0,
    }));
    const moved = await predicted({ run: search, gateOverride: gone });
    const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
    for (const [row, [conversion, click]] of moved.entries()) {
      expect(same[row]![0].probability).toBeCloseTo(before[row]![0].probability, 6);
      expect(click.probability).toBeCloseTo(logistic(click.partials!.full), 6);
      // Its own part is as it was.
      const own = before[row]![0].conditionalProbability!;
      expect(conversion.conditionalProbability).toBeCloseTo(own, 5);
      expect(conversion.probability).toBeCloseTo(own * click.probability, 6);
    }
  });
});

describe("outcomes of a conditional task", () => {
  it("are 0 where those of its condition are, also where nothing was said of it", async () => {
    await answered(
      `mutation ($run: ID!) {
        registerModel(input: { key: "shop" }) { model { id } }
        createModelVersion(input: { model: "shop", run: $run }) { modelVersion { id } }
      }`,
      { run: towers },
    );
    await predicted({ model: "shop@1" });
    const clicks = rows.map(({ id }, i) => ({ id, task: "click", label: Number(i % 4 < 2) }));
    const conversions = rows.slice(0, 8).map(({ id }) => ({ id, task: "conversion", label: 1 }));
    await answered(
      `mutation ($outcomes: [OutcomeInput!]!) { recordOutcomes(input: { model: "shop", outcomes: $outcomes }) { recorded } }`,
      { outcomes: [...clicks, ...conversions] },
    );
    const { model } = await answered(
      `query ($from: DateTime!, $to: DateTime!) {
        model(key: "shop") { versions(first: 1) { nodes { calibration(from: $from, to: $to) { task { key } rows meanObserved } } } }
      }`,
      { from: new Date(Date.now() - 86_400_000).toISOString(), to: new Date().toISOString() },
    );
    const [conversion, click] = model.versions.nodes[0].calibration;
    expect(click).toEqual({ task: { key: "click" }, rows: 20, meanObserved: 0.5 });
    // 10 rows without a click, and of the others the 2 whose conversion was told.
    expect(conversion).toEqual({ task: { key: "conversion" }, rows: 12, meanObserved: 2 / 12 });
  });
});
