/** What guards an alias, what a version came from, and by how much a second version differs. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTrafficDifferences } from "../../src/services/model/trafficDifferences.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { madeRun, startMadeServer } from "../server/madeRuns.ts";
import { startReceiver } from "../server/receiver.ts";
import { eventually } from "../server/testServer.ts";

let made: MadeServer;
let dataset: string;
/** Ids of the runs behind versions 1 to 4: two that are alike, one that is worse, one on another dataset. */
let runs: string[];

beforeAll(async () => {
  made = await startMadeServer({ AUTOIFS_WEBHOOK_PRIVATE: "1" });
  dataset = await made.imported();
  const other = await made.imported({ name: "other", fields: [{ column: "user" }] });
  const search = await madeRun(made.store, { dataset, seed: 7, skill: 2 });
  runs = [
    await madeRun(made.store, { dataset, seed: 1, skill: 2, record: { kind: "PRUNE", parentRunId: search } }),
    await madeRun(made.store, { dataset, seed: 2, skill: 2 }),
    await madeRun(made.store, { dataset, seed: 3, skill: 0.3 }),
    await madeRun(made.store, { dataset: other, seed: 4, skill: 2 }),
  ];
  await ask(`mutation { registerModel(input: { key: "ranker" }) { model { id } } }`);
  const create = `mutation ($run: ID!) { createModelVersion(input: { model: "ranker", run: $run }) { created } }`;
  for (const run of runs) await ask(create, { run });
});
afterAll(() => made.close());

/** The data of a request that must not fail. */
async function ask(document: string, variables: Readonly<Record<string, unknown>> = {}) {
  const { data, errors } = await made.server.query(document, variables);
  if (errors) throw new Error(errors[0]!.message);
  return data;
}

const addRule = `mutation ($input: AddPromotionRuleInput!) {
  addPromotionRule(input: $input) {
    promotionRule { id name kind metric tolerance beyondNoise over bound milliseconds model { key } }
  }
}`;
const setAlias = `mutation ($input: SetModelAliasInput!) { setModelAlias(input: $input) { alias { version { number } } } }`;
const check = `query ($alias: String!, $version: Int!) {
  checkPromotion(model: "ranker", alias: $alias, version: $version) {
    holds comparedWith { number } version { number }
    rules { holds message rule { id } measured { scenario { key } task { key } candidate baseline difference low high holds } }
  }
}`;

async function guarded(alias: string, rule: object, name?: string): Promise<string> {
  const { addPromotionRule } = await ask(addRule, { input: { model: "ranker", alias, name, rule } });
  return addPromotionRule.promotionRule.id;
}

const move = (alias: string, version: number) => ask(setAlias, { input: { model: "ranker", alias, version } });

describe("a promotion rule", () => {
  it("is kept with the members of its kind, and listed on its model", async () => {
    const rule = { kind: "CELL_METRIC_NOT_WORSE", metric: "AUC", tolerance: 0.002 };
    const input = { model: "ranker", alias: "champion", name: "no cell worse", rule };
    const { promotionRule } = (await ask(addRule, { input })).addPromotionRule;
    const kept = { name: "no cell worse", ...rule, beyondNoise: true, over: null, bound: null, milliseconds: null };
    expect(promotionRule).toEqual({ id: expect.stringMatching(/^prl_/), ...kept, model: { key: "ranker" } });
    const listed = await ask(`{ model(key: "ranker") { promotionRules { id alias } } }`);
    expect(listed.model.promotionRules).toEqual([{ id: promotionRule.id, alias: "champion" }]);
    const node = await ask(`query ($id: ID!) { node(id: $id) { ... on PromotionRule { kind } } }`, promotionRule);
    expect(node.node.kind).toBe("CELL_METRIC_NOT_WORSE");
  });

  it("lets the first version through, and one that is as good", async () => {
    await move("champion", 1);
    expect(await move("champion", 2)).toMatchObject({ setModelAlias: { alias: { version: { number: 2 } } } });
  });

  it("refuses a version with a cell that is worse, names the cell and tells the webhooks", async () => {
    const receiver = await startReceiver();
    const hook = `mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { id } } }`;
    await ask(hook, { input: { url: receiver.url, events: ["MODEL_PROMOTION_REFUSED"] } });
    const refused = await made.server.refused(setAlias, { input: { model: "ranker", alias: "champion", version: 3 } });
    expect(refused).toMatchObject({ code: "CONFLICT", field: "input.version", received: "version 3" });
    expect(refused.message).toMatch(
      /version 3 breaks prl_\w+ "no cell worse" \(CELL_METRIC_NOT_WORSE\): auc of \w+ × \w+ is 0\.\d+ against 0\.\d+, worse by 0\.\d+ \(interval of the difference -0\.\d+ to -0\.\d+\), more than 0\.002; so it is in 3 of 3 cells/,
    );
    const { model } = await ask(`{ model(key: "ranker") { aliases { name version { number } } } }`);
    expect(model.aliases).toEqual([{ name: "champion", version: { number: 2 } }]);
    const event = await eventually(async () => receiver.events("model.promotion_refused")[0]);
    expect(event.data).toMatchObject({ alias: "champion", version: 3, before: 2 });
    await receiver.close();
  });

  it("says how it stands without a move, with the numbers of `compareRuns`", async () => {
    const { checkPromotion } = await ask(check, { alias: "champion", version: 3 });
    expect(checkPromotion).toMatchObject({ holds: false, comparedWith: { number: 2 }, version: { number: 3 } });
    const compare = `query ($baseline: [ID!]!, $candidate: [ID!]!) {
      compareRuns(baseline: $baseline, candidate: $candidate) { cells { auc { candidate baseline difference low high } } }
    }`;
    const { compareRuns } = await ask(compare, { baseline: [runs[1]], candidate: [runs[2]] });
    // In search nobody likes anything, so that cell has no AUC.
    const cells = compareRuns.cells.filter(
      ({ auc }: { auc: { difference: number | null } }) => auc.difference !== null,
    );
    expect(checkPromotion.rules[0].measured).toMatchObject(cells.map(({ auc }: { auc: object }) => auc));
    expect((await ask(check, { alias: "champion", version: 2 })).checkPromotion).toMatchObject({ holds: true });
  });

  it("does not compare what was not tested on the same rows, and says so", async () => {
    const { checkPromotion } = await ask(check, { alias: "champion", version: 4 });
    expect(checkPromotion.rules[0]).toMatchObject({ holds: false, measured: [] });
    expect(checkPromotion.rules[0].message).toBe(
      `they were not tested on the same rows: ${runs[3]} and ${runs[1]} differ in DATA, TRANSFORM`,
    );
  });

  it("is of one of five kinds", async () => {
    const rules: readonly [object, RegExp, boolean][] = [
      [
        { kind: "MEAN_METRIC_NOT_WORSE", metric: "LOGLOSS", beyondNoise: false, tolerance: 0.001 },
        /^the mean logloss is .* worse by/,
        false,
      ],
      [{ kind: "METRIC_AT_LEAST", metric: "AUC", bound: 0.5 }, /^auc holds in the mean over the cells$/, true],
      [
        { kind: "METRIC_AT_LEAST", metric: "AUC", over: "WORST_CELL", bound: 0.9 },
        /^auc of .* below 0.9; so it is in 3 of 3 cells$/,
        false,
      ],
      [{ kind: "METRIC_AT_LEAST", metric: "LOGLOSS", bound: 0.01 }, /^the mean logloss is .* above 0.01$/, false],
      [{ kind: "LATENCY_P99_BELOW", milliseconds: 5 }, /^the latency of the candidate was not measured$/, false],
      [{ kind: "SAME_DATASET" }, /^the datasets are .* with the same content$/, true],
    ];
    await move("kinds", 2);
    for (const [rule] of rules) await guarded("kinds", rule);
    const { checkPromotion } = await ask(check, { alias: "kinds", version: 3 });
    rules.forEach(([, message, holds], i) => {
      expect(checkPromotion.rules[i]).toMatchObject({ holds, message: expect.stringMatching(message) });
    });
    const onOther = (await ask(check, { alias: "kinds", version: 4 })).checkPromotion.rules.at(-1);
    expect(onOther).toMatchObject({ holds: false, message: expect.stringMatching(/with other content$/) });
  });

  it("is taken away, and refuses nothing any more", async () => {
    const rule = await guarded("shelf", { kind: "METRIC_AT_LEAST", metric: "AUC", bound: 1 });
    const input = { model: "ranker", alias: "shelf", version: 1 };
    expect(await made.server.refused(setAlias, { input })).toMatchObject({ code: "CONFLICT" });
    await ask(`mutation ($rule: ID!) { removePromotionRule(input: { rule: $rule }) { model { key } } }`, { rule });
    expect((await ask(setAlias, { input })).setModelAlias.alias.version.number).toBe(1);
  });

  it("is not stepped over by one who was slower", async () => {
    await guarded("raced", { kind: "SAME_DATASET" });
    await move("raced", 1);
    const input = (version: number) => ({ input: { model: "ranker", alias: "raced", version, expectedVersion: 1 } });
    const both = await Promise.all([2, 3].map((version) => made.server.query(setAlias, input(version))));
    expect(both.map(({ errors }) => errors?.[0]?.extensions?.["code"] ?? "done").sort()).toEqual(["CONFLICT", "done"]);
  });
});

it("A version tells what it came from: dataset, runs from the search on, file, and what it has predicted", async () => {
  const batch = await made.store.batchPredictions.create({
    runId: runs[0]!,
    sourceFile: "a",
    sourceHash: "b",
    format: "JSONL",
  });
  const { model } = await ask(`{ model(key: "ranker") { versions(first: 4) { nodes { number lineage {
    dataset { id version contentHash } runs { id kind } checkpointHash checkpointBytes batchPredictions { totalCount nodes { id } }
  } } } } }`);
  const { lineage } = model.versions.nodes.at(-1);
  expect(lineage.dataset).toEqual({ id: dataset, version: 1, contentHash: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(lineage.runs.map(({ kind }: { kind: string }) => kind)).toEqual(["TRAIN", "PRUNE"]);
  expect(lineage.runs[1].id).toBe(runs[0]);
  expect(lineage).toMatchObject({
    checkpointHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    checkpointBytes: expect.any(Number),
  });
  expect(lineage.batchPredictions).toEqual({ totalCount: 1, nodes: [{ id: batch.id }] });
  const versions = await ask(
    `query ($id: ID!) { dataset(id: $id) { modelVersions(first: 2) { totalCount nodes { number } } } }`,
    { id: dataset },
  );
  expect(versions.dataset.modelVersions).toEqual({ totalCount: 3, nodes: [{ number: 3 }, { number: 2 }] });
});

describe("the traffic of an alias", () => {
  const setTraffic = `mutation ($input: SetModelTrafficInput!) {
    setModelTraffic(input: $input) { traffic { alias otherAlias otherNumber kind share version } }
  }`;
  const differences = `{ model(key: "ranker") { traffic { differences { version other cells {
    scenario { key } task { key } rows mean otherMean meanDifference meanAbsoluteDifference largestDifference rowsAbove001 rowsAbove01
  } } } } }`;

  it("is set, and set anew by whoever knows its version", async () => {
    const input = { model: "ranker", alias: "champion", other: "3", kind: "SHADOW", share: 0.5, expectedVersion: 0 };
    const { traffic } = (await ask(setTraffic, { input })).setModelTraffic;
    expect(traffic).toMatchObject({ alias: "champion", otherAlias: null, otherNumber: 3, kind: "SHADOW", share: 0.5 });
    expect(await made.server.refused(setTraffic, { input })).toMatchObject({
      code: "CONFLICT",
      field: "input.expectedVersion",
    });
    const canary = { ...input, other: "kinds", kind: "CANARY", share: 1, expectedVersion: traffic.version };
    const changed = (await ask(setTraffic, { input: canary })).setModelTraffic.traffic;
    expect(changed).toMatchObject({ otherAlias: "kinds", otherNumber: null, kind: "CANARY" });
    expect(changed.version).toBeGreaterThan(traffic.version);
  });

  it("has the differences of all servers, summed up per scenario and task", async () => {
    const { id: modelId } = (await ask(`{ model(key: "ranker") { id } }`)).model;
    const pair = { modelId, alias: "champion", version: 2, other: 3, taskKeys: ["click", "like"] };
    const servers = [1, 2].map(() => createTrafficDifferences({ store: made.store, log: { warn: () => undefined } }));
    servers[0]!.recordDifference({
      ...pair,
      scenarios: ["home", "search"],
      probabilities: [0.2, 0.5, 0.1, 0.1],
      otherProbabilities: [0.25, 0.5, 0.3, NaN],
    });
    servers[1]!.recordDifference({
      ...pair,
      scenarios: ["home"],
      probabilities: [0.4, 0.5],
      otherProbabilities: [0.25, 0.5],
    });
    // Of an alias without traffic: left out.
    servers[1]!.recordDifference({
      ...pair,
      alias: "shelf",
      scenarios: ["home"],
      probabilities: [1, 1],
      otherProbabilities: [0, 0],
    });
    await Promise.all(servers.map((one) => one.close()));

    const [{ version, other, cells }] = (await ask(differences)).model.traffic[0].differences;
    expect({ version, other }).toEqual({ version: 2, other: 3 });
    const places = cells.map(
      (cell: { scenario: { key: string }; task: { key: string } }) => `${cell.scenario.key} ${cell.task.key}`,
    );
    expect(places).toEqual(["home click", "home like", "search click"]);
    expect(cells[0]).toMatchObject({ rows: 2, rowsAbove001: 2, rowsAbove01: 1 });
    const close = {
      mean: 0.3,
      otherMean: 0.25,
      meanDifference: -0.05,
      meanAbsoluteDifference: 0.1,
      largestDifference: 0.15,
    };
    for (const [name, value] of Object.entries(close)) expect(cells[0][name]).toBeCloseTo(value, 12);
    expect(cells[1]).toMatchObject({ rows: 2, largestDifference: 0, rowsAbove001: 0 });
  });

  it("is taken away with what was recorded", async () => {
    await ask(`mutation { removeModelTraffic(input: { model: "ranker", alias: "champion" }) { model { key } } }`);
    expect((await ask(differences)).model.traffic).toEqual([]);
  });
});
