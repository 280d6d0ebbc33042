import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rowGates, startBulkWorker, untrainedRun } from "../server/bulkWork.ts";
import { startMadeServer } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { smallInput } from "../server/smallDataset.ts";

let made: MadeServer;
/** Two runs with towers, versions 1 and 2 of the model `feed`, and one with gates, which is version 3. */
let runs: string[];
beforeAll(async () => {
  made = await startMadeServer();
  const { parts } = await startBulkWorker(made);
  const dataset = await made.imported(smallInput);
  runs = [
    await untrainedRun(parts, dataset),
    await untrainedRun(parts, dataset, { seed: 2 }),
    await untrainedRun(parts, dataset, { head: rowGates }),
  ];
  await answered(`mutation { registerModel(input: { key: "feed" }) { model { key } } }`);
  for (const run of runs) {
    await answered(
      `mutation ($run: ID!) { createModelVersion(input: { model: "feed", run: $run }) { modelVersion { number } } }`,
      { run },
    );
  }
});
afterAll(() => made.close());

async function answered(document: string, variables?: Readonly<Record<string, unknown>>) {
  const { data, errors } = await made.server.query(document, variables);
  if (errors) throw new Error(errors[0]!.message);
  return data;
}

const row = { scenario: "home", values: { tab: "0", user: "u1", age: 30, item: "i2" } };
const rowOfSearch = { scenario: "search", values: { user: "u2", age: null, item: "never seen" } };

const predict = `query ($run: ID, $model: String, $rows: [PredictRowInput!]!, $onRowError: RowErrorPolicy! = FAIL) {
  predict(run: $run, model: $model, rows: $rows, onRowError: $onRowError) {
    run { id }
    modelVersion { number }
    rows { index id scenarioKey tasks { taskKey probability } }
    rowErrors { index id code field message }
    unknownValues { column rows }
  }
}`;

async function predicted(asked: object, rows: readonly object[] = [row], more: object = {}) {
  return (await answered(predict, { ...asked, rows, ...more })).predict;
}

const moveAlias = (alias: string, version: number) =>
  answered(
    `mutation ($alias: String!, $version: Int!) {
      setModelAlias(input: { model: "feed", alias: $alias, version: $version }) { model { key } }
    }`,
    { alias, version },
  );

describe("predict", () => {
  it("answers rows with the model of a run", async () => {
    const { run, modelVersion, rows } = await predicted({ run: runs[0] }, [row, rowOfSearch]);
    expect(run).toEqual({ id: runs[0] });
    expect(modelVersion).toBeNull();
    expect(rows).toEqual([
      { index: 0, id: null, scenarioKey: "home", tasks: [click(), like()] },
      { index: 1, id: null, scenarioKey: "search", tasks: [click(), like()] },
    ]);
  });

  it("answers with the version that the name of a model stands for, from the next request on after an alias was moved", async () => {
    await moveAlias("candidate", 2);
    const numberOf = async (model: string) => (await predicted({ model })).modelVersion.number;
    expect(await numberOf("feed@1")).toBe(1);
    expect(await numberOf("feed@latest")).toBe(3);
    expect(await numberOf("feed")).toBe(3);
    expect(await numberOf("feed@candidate")).toBe(2);
    await moveAlias("candidate", 1);
    expect(await numberOf("feed@candidate")).toBe(1);
    await moveAlias("champion", 2);
    expect(await numberOf("feed")).toBe(2);
    const { rows, run } = await predicted({ model: "feed" });
    expect(run).toEqual({ id: runs[1] });
    expect(rows).toEqual((await predicted({ run: runs[1] })).rows);
  });

  it("answers every request while an alias is moved", async () => {
    const asked: Promise<{ modelVersion: { number: number } }>[] = [];
    for (let i = 0; i < 10; i++) {
      asked.push(...Array.from({ length: 5 }, () => predicted({ model: "feed@candidate" })));
      await moveAlias("candidate", 1 + (i % 2));
    }
    const numbers = (await Promise.all(asked)).map(({ modelVersion }) => modelVersion.number);
    expect(numbers.filter((number) => number !== 1 && number !== 2)).toEqual([]);
  });

  it("gives many requests at once what each gets alone", async () => {
    const rows = Array.from({ length: 12 }, (_, i) => ({ ...row, values: { ...row.values, user: `u${i}` } }));
    const together = await Promise.all(rows.map((one) => predicted({ run: runs[0] }, [one])));
    const one = await predicted({ run: runs[0] }, rows);
    for (const [index, { rows: own }] of together.entries())
      expect(own[0].tasks[0].probability).toBeCloseTo(one.rows[index].tasks[0].probability, 6);
  });

  it("passes over rows that cannot be used where it is asked to, and says why", async () => {
    const bad = { id: "row b", scenario: "home", values: { user: "u1", age: "old", item: "i2" } };
    const rows = [{ ...row, id: "row a" }, bad, { ...row, scenario: "work" }, rowOfSearch];
    const answer = await predicted({ run: runs[0] }, rows, { onRowError: "SKIP" });
    expect(answer.rows.map(({ index, id }: { index: number; id: string }) => [index, id])).toEqual([
      [0, "row a"],
      [3, null],
    ]);
    expect(answer.rowErrors).toEqual([
      {
        index: 1,
        id: "row b",
        code: "INVALID_INPUT",
        field: "rows[1].values.age",
        message: 'rows[1].values.age: expected a finite number, got "old"',
      },
      expect.objectContaining({ index: 2, id: null, field: "rows[2].scenario" }),
    ]);
    expect(answer.unknownValues).toEqual([
      { column: "item", rows: 1 },
      { column: "age", rows: 1 },
    ]);
    expect(answer.rows[0].tasks).toEqual((await predicted({ run: runs[0] })).rows[0].tasks);
  });

  it("is told how it went on /metrics", async () => {
    const text = await (await fetch(`${made.server.url}/metrics`)).text();
    const value = (name: string) => Number(new RegExp(`^autoifs_${name} (\\S+)$`, "m").exec(text)?.[1]);
    expect(value("models_loaded")).toBeGreaterThanOrEqual(2);
    expect(value("model_bytes")).toBeGreaterThan(1000);
    expect(value("model_load_seconds_count")).toBe(value("models_loaded"));
    expect(value("prediction_run_rows_count")).toBeGreaterThan(5);
    expect(value("prediction_waiting_rows")).toBe(0);
  });
});

describe("an explained prediction", () => {
  const explain = `query ($run: ID!, $rows: [PredictRowInput!]!, $gateOverride: [GateOverrideInput!]) {
    predict(run: $run, rows: $rows, gateOverride: $gateOverride) {
      rows { tasks {
        probability
        partials { full sharedShared scenarioTask sharedTask scenarioShared }
        gates { sharedShared scenarioTask sharedTask scenarioShared }
      } }
    }
  }`;
  const explained = async (gateOverride?: readonly object[]) => {
    const { predict: answer } = await answered(explain, { run: runs[2], rows: [row, rowOfSearch], gateOverride });
    return answer.rows.flatMap((one: { tasks: Explained[] }) => one.tasks) as Explained[];
  };
  interface Explained {
    readonly probability: number;
    readonly partials: Readonly<Record<string, number>>;
    readonly gates: Readonly<Record<string, number>>;
  }
  /** σ(full − Σ gate · flow). */
  const fromParts = ({ partials, gates }: Explained): number => {
    const removed = Object.keys(gates).reduce((sum, flow) => sum + gates[flow]! * partials[flow]!, 0);
    return 1 / (1 + Math.exp(-(partials["full"]! - removed)));
  };

  it("takes each probability apart, and is the prediction itself", async () => {
    const plain = (await predicted({ run: runs[2] }, [row, rowOfSearch])).rows.flatMap(
      (one: { tasks: { probability: number }[] }) => one.tasks,
    );
    for (const [index, cell] of (await explained()).entries()) {
      expect(cell.probability).toBeCloseTo(fromParts(cell), 6);
      expect(cell.probability).toBeCloseTo(plain[index].probability, 5);
    }
  });

  it("says what if the gates were others", async () => {
    const own = await explained();
    const other = await explained([
      { flow: "SHARED_SHARED", gate: 0.5 },
      { scenario: "search", task: "like", flow: "SCENARIO_TASK", gate: 1 },
    ]);
    for (const [index, cell] of other.entries()) {
      expect(cell.partials).toEqual(own[index]!.partials);
      const scenarioTask = index === 3 ? 1 : own[index]!.gates["scenarioTask"];
      expect(cell.gates).toEqual({ ...own[index]!.gates, sharedShared: 0.5, scenarioTask });
      expect(cell.probability).toBeCloseTo(fromParts(cell), 6);
    }
  });
});

describe("rank", () => {
  it("gives the best of some candidates, by a formula over what is predicted for them", async () => {
    const items = ["i0", "i1", "i2", "i3"];
    const { rank } = await answered(
      `query ($candidates: [RankCandidateInput!]!) {
        rank(
          model: "feed@1", scenario: "home", context: { user: "u1", age: 30 }, candidates: $candidates, top: 2,
          combine: WEIGHTED_PRODUCT, terms: [{ task: "click", weight: 1 }, { task: "like", weight: 0.5 }]
        ) { modelVersion { number } candidates { index id score tasks { taskKey task { key } probability } } unknownValues { column } }
      }`,
      { candidates: items.map((item) => ({ id: item, values: { item } })) },
    );
    const { rows } = await predicted(
      { model: "feed@1" },
      items.map((item) => ({ scenario: "home", values: { user: "u1", age: 30, item } })),
    );
    const scores: { index: number; score: number }[] = rows.map(
      ({ index, tasks }: { index: number; tasks: { probability: number }[] }) => ({
        index,
        score: tasks[0]!.probability * tasks[1]!.probability ** 0.5,
      }),
    );
    const best = scores.sort((a, b) => b.score - a.score).slice(0, 2);
    expect(rank).toEqual({
      modelVersion: { number: 1 },
      unknownValues: [],
      candidates: best.map(({ index, score }) => ({
        index,
        id: items[index],
        score: expect.closeTo(score, 6),
        tasks: [
          { ...click(), task: { key: "click" } },
          { ...like(), task: { key: "like" } },
        ],
      })),
    });
  });
});

describe("predictBatch", () => {
  it("takes the version that the name of a model stands for", async () => {
    const { predictBatch } = await answered(
      `mutation { predictBatch(input: { model: "feed@2", file: "small.csv" }) { batchPrediction { run { id } } } }`,
    );
    expect(predictBatch.batchPrediction.run.id).toBe(runs[1]);
  });
});

const click = () => ({ taskKey: "click", probability: expect.any(Number) });
const like = () => ({ taskKey: "like", probability: expect.any(Number) });
