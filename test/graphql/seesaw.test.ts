import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { finishedRun, madeRun, startMadeServer } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import type { NewRun } from "../../src/store/queueRun.ts";
import { backbone, trainModel } from "../server/smallModels.ts";

const trainBaselines = `mutation ($run: ID!) {
  trainBaselines(input: { run: $run }) {
    queued
    runs {
      id kind state seed configurationHash cell { scenario { key } task { key } }
      backbone { name config } head { ... on TowersHead { layers } } hyperParameters { learningRate }
    }
  }
}`;
const seesaw = `query ($run: ID!) {
  seesaw(run: $run) {
    run { id } paired
    cells {
      scenario { key } task { key } rows positives baseline { id state }
      auc { baseline candidate difference verdict spread } logloss { verdict }
    }
  }
}`;

let made: MadeServer;
let dataset: string;
let run: string;
/** Another seed of it, and one over AutoIFS that is scored by one cell alone. */
let other: string;
let search: string;

beforeAll(async () => {
  made = await startMadeServer();
  dataset = await made.imported();
  run = await madeRun(made.store, { dataset, seed: 1, skill: 2 });
  other = await madeRun(made.store, { dataset, seed: 2, skill: 2 });
  const numbers = (await made.store.runs.get(run)).hyperParameters as object;
  const weights = [{ scenario: "home", task: "click", weight: 1 }];
  const record: Partial<NewRun> = {
    kind: "SEARCH",
    head: {
      kind: "AUTOIFS",
      scenarioLayers: [6, 5],
      taskLayers: [3],
      rank: 2,
      gateLayers: [8],
      batchNorm: false,
      dropout: 0,
    },
    hyperParameters: { ...numbers, selection: { metric: "logloss", over: "WEIGHTED", weights, minimumDifference: 0 } },
  };
  search = await madeRun(made.store, { dataset, seed: 1, skill: 2, record });
});
afterAll(() => made.close());

describe("trainBaselines", () => {
  it("queues a training for each cell, like the run but for the cell", async () => {
    const { data } = await made.server.query(trainBaselines, { run });
    const { queued, runs } = data.trainBaselines;
    expect(queued).toBe(4);
    expect(runs.map(({ cell }: BaselineRun) => `${cell.scenario.key} × ${cell.task.key}`)).toEqual([
      "home × click",
      "home × like",
      "search × click",
      "search × like",
    ]);
    for (const baseline of runs) {
      expect(baseline).toMatchObject({
        kind: "TRAIN",
        state: "QUEUED",
        seed: 1,
        backbone: { name: "shared-bottom", config: { layers: [8] } },
        head: { layers: [4] },
        hyperParameters: { learningRate: 1 / 12 },
      });
    }
    expect(new Set(runs.map(({ configurationHash }: BaselineRun) => configurationHash)).size).toBe(4);
  });

  it("takes those that exist already, and makes anew what was cancelled", async () => {
    const first = (await made.server.query(trainBaselines, { run })).data.trainBaselines;
    expect(first.queued).toBe(0);
    const { id } = first.runs[3];
    await made.store.runs.cancel(id);
    const second = (await made.server.query(trainBaselines, { run })).data.trainBaselines;
    expect(second.queued).toBe(1);
    expect(second.runs.slice(0, 3)).toEqual(first.runs.slice(0, 3));
    expect(second.runs[3].id).not.toBe(id);
  });

  it("asked twice at once makes nothing twice", async () => {
    const answers = await Promise.all([1, 2].map(() => made.server.query(trainBaselines, { run: other })));
    const [a, b] = answers.map(({ data }) => data.trainBaselines);
    expect(a.queued + b.queued).toBe(4);
    expect(a.runs).toEqual(b.runs);
    for (const { id } of a.runs) await made.store.runs.cancel(id);
  });

  it("gives the head of AutoIFS towers as wide as its own layers, and the cell its metric as the score", async () => {
    const { data } = await made.server.query(trainBaselines, { run: search });
    const { runs } = data.trainBaselines;
    expect(runs[3].head).toEqual({ layers: [6, 5, 3] });
    const document = `query ($id: ID!) { run(id: $id) { hyperParameters { selection { metric over weights { weight } } } } }`;
    const answer = await made.server.query(document, { id: runs[3].id });
    expect(answer.data.run.hyperParameters.selection).toEqual({ metric: "LOGLOSS", over: "MEAN", weights: [] });
    for (const { id } of runs) await made.store.runs.cancel(id);
  });

  it("refuses a run that does not exist, and one that is on one cell itself", async () => {
    expect(await made.server.refused(trainBaselines, { run: "run_none" })).toMatchObject({
      code: "NOT_FOUND",
      field: "input.run",
    });
    const single = (await made.server.query(trainBaselines, { run })).data.trainBaselines.runs[0].id;
    expect(await made.server.refused(trainBaselines, { run: single })).toMatchObject({
      message: `input.run: expected a run on all cells, but ${single} is on one`,
      code: "CONFLICT",
      field: "input.run",
    });
  });
});

describe("seesaw", () => {
  it("lists cells without a baseline, or with one that has not ended, without a verdict", async () => {
    const none = (await made.server.query(seesaw, { run: other })).data.seesaw;
    expect(none).toMatchObject({ run: { id: other }, paired: false });
    expect(none.cells.map(({ baseline, auc }: SeesawCell) => [baseline, auc])).toEqual(Array(4).fill([null, null]));

    const waiting = (await made.server.query(seesaw, { run })).data.seesaw;
    for (const cell of waiting.cells)
      expect(cell).toMatchObject({ baseline: { state: "QUEUED" }, auc: null, logloss: null });
  });

  it("shows which cells lose by being trained together, worst first", async () => {
    // Baselines in the order of the queue: home × click, home × like, search × click; search × like has no AUC.
    for (const skill of [2, 1, 3, 2]) await finishedRun(made.store, skill);
    const { data } = await made.server.query(seesaw, { run });
    expect(data.seesaw.paired).toBe(true);
    const cells: SeesawCell[] = data.seesaw.cells;
    expect(cells.map(({ scenario, task, auc }) => [`${scenario.key} × ${task.key}`, auc!.verdict])).toEqual([
      ["search × click", "WORSE"],
      ["home × click", "WITHIN_NOISE"],
      ["home × like", "BETTER"],
      ["search × like", null],
    ]);
    expect(cells[0]).toMatchObject({ baseline: { state: "SUCCEEDED" }, logloss: { verdict: "WORSE" } });
    expect(cells[0]!.auc!.difference).toBeLessThan(0);
  });

  it("has the figures of the two runs' own matrices", async () => {
    const document = `query ($id: ID!) { run(id: $id) { matrix { cells { scenario { key } task { key } auc } } } }`;
    const { data } = await made.server.query(seesaw, { run });
    const [worst] = data.seesaw.cells;
    const own = (await made.server.query(document, { id: run })).data.run.matrix.cells;
    const single = (await made.server.query(document, { id: worst.baseline.id })).data.run.matrix.cells;
    const { scenario, task } = worst;
    expect(single).toEqual([{ scenario, task, auc: worst.auc.baseline }]);
    expect(own).toContainEqual({ scenario, task, auc: worst.auc.candidate });
  });

  it("refuses a run that has not succeeded", async () => {
    const input = { dataset, backbone, head: { kind: "TOWERS" } };
    const { id } = (await made.server.query(trainModel, { input })).data.trainModel.run;
    expect(await made.server.refused(seesaw, { run: id })).toMatchObject({
      message: `run: expected a run in state SUCCEEDED, but ${id} is QUEUED`,
      code: "CONFLICT",
      field: "run",
      received: "QUEUED",
    });
  });
});

interface BaselineRun {
  readonly cell: Keyed;
  readonly configurationHash: string;
}

interface Keyed {
  readonly scenario: { readonly key: string };
  readonly task: { readonly key: string };
}

interface SeesawCell extends Keyed {
  readonly baseline: { readonly id: string } | null;
  readonly auc: { readonly verdict: string | null; readonly difference: number | null } | null;
}
