import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFilledServer } from "../server/filledServer.ts";
import type { FilledServer } from "../server/filledServer.ts";

interface Run {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly seed: number;
  readonly preset: string | null;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  readonly dataset: { readonly id: string };
  readonly trial: { readonly id: string } | null;
  readonly backbone: { readonly name: string };
  readonly test: { readonly cells: readonly Cell[] };
  readonly validation: { readonly cells: readonly Cell[] };
}

interface Cell {
  readonly scenario: { readonly key: string };
  readonly task: { readonly key: string };
  readonly auc: number;
}

let server: FilledServer;
let runs: readonly Run[];

beforeAll(async () => {
  server = await startFilledServer(40);
  // Runs 1, 2, 3 … have seeds 0, 1, 2 …
  server.change(`
    UPDATE "ModelRun" SET "finishedAt" = NULL, "state" = 'RUNNING' WHERE "seed" >= 37;
    UPDATE "ModelRun" SET "preset" = NULL WHERE "seed" % 10 = 3;
    UPDATE "ModelRun" SET "note" = 'Better than the *champion*' WHERE "seed" IN (4, 8);
    UPDATE "ModelRun" SET "deletedAt" = '2026-02-01T00:00:00.000+00:00' WHERE "seed" IN (30, 31);
    UPDATE "RunParameter" SET "number" = 0.01 WHERE "path" = 'learningRate' AND "runId" LIKE '%5';
    UPDATE "RunParameter" SET "text" = '[64]' WHERE "path" = 'backbone.config.layers' AND "runId" LIKE '%6';
    INSERT INTO "Tag" ("runId", "key", "value") SELECT "id", 'team', CASE WHEN "seed" < 20 THEN 'feed' ELSE 'search' END
      FROM "ModelRun" WHERE "seed" % 2 = 0;
    INSERT INTO "Experiment" ("id", "name", "state", "spec", "createdAt")
      VALUES ('exp_1', 'sweep', 'RUNNING', '{}', '2026-01-01T00:00:00.000+00:00');
    INSERT INTO "Trial" ("id", "experimentId", "number", "configuration", "datasetId", "seed", "state", "rung")
      SELECT 'trl_1', 'exp_1', 1, '{"name":"a","values":{}}', min("id"), 1, 'RUNNING', 0 FROM "Dataset";
    UPDATE "ModelRun" SET "trialId" = 'trl_1' WHERE "seed" IN (2, 3, 5);
  `);
  const { data } = await server.counted(`{ runs(first: 100, filter: { deleted: INCLUDED }) { nodes {
    id kind state seed preset createdAt finishedAt dataset { id } trial { id } backbone { name }
    test: matrix { cells { scenario { key } task { key } auc } }
    validation: matrix(split: VALIDATION) { cells { scenario { key } task { key } auc } }
  } } }`);
  runs = data.runs.nodes;
});
afterAll(() => server.close());

const isDeleted = ({ seed }: Run): boolean => seed === 30 || seed === 31;
const mean = (cells: readonly Cell[]): number => cells.reduce((sum, { auc }) => sum + auc, 0) / cells.length;

async function listed(filter: object, first = 100): Promise<{ seeds: number[]; totalCount: number }> {
  const { data } = await server.counted(
    `query ($filter: RunFilter, $first: Int!) { runs(first: $first, filter: $filter) { totalCount nodes { seed } } }`,
    { filter, first },
  );
  return { seeds: data.runs.nodes.map(({ seed }: Run) => seed), totalCount: data.runs.totalCount };
}

const late = "2026-01-01T00:25:00.000Z";

const cases: readonly (readonly [string, object, (run: Run) => boolean])[] = [
  ["a state", { state: "CANCELLED" }, ({ state }) => state === "CANCELLED"],
  ["one of some states", { states: ["RUNNING", "CANCELLED"] }, ({ state }) => state !== "SUCCEEDED"],
  ["one of some kinds", { kinds: ["PRUNE", "TRAIN"] }, ({ kind }) => kind !== "SEARCH"],
  ["a dataset", { dataset: `ds_${"3".padStart(32, "0")}` }, ({ dataset }) => dataset.id.endsWith("3")],
  [
    "a backbone and a kind",
    { backbone: "mmoe", kind: "TRAIN" },
    (run) => run.backbone.name === "mmoe" && run.kind === "TRAIN",
  ],
  ["a trial", { trial: "trl_1" }, ({ trial }) => trial !== null],
  ["an experiment", { experiment: "exp_1" }, ({ trial }) => trial !== null],
  ["an engine and a seed", { engine: "COMPILED", seed: 7 }, ({ seed }) => seed === 7],
  ["a preset", { preset: "RECOMMENDED" }, ({ preset }) => preset !== null],
  ["not a preset, none among them", { not: { preset: "RECOMMENDED" } }, ({ preset }) => preset === null],
  ["no experiment", { not: { experiment: "exp_1" } }, ({ trial }) => trial === null],
  ["the time of queueing", { createdAfter: late }, ({ createdAt }) => createdAt >= late],
  [
    "times between",
    { createdAfter: "2026-01-01T01:05:00+01:00", createdBefore: late },
    ({ createdAt }) => createdAt >= "2026-01-01T00:05" && createdAt < late,
  ],
  ["the end", { finishedAfter: late }, ({ finishedAt }) => finishedAt !== null && finishedAt >= late],
  [
    "no end at that time",
    { not: { finishedBefore: late } },
    ({ finishedAt }) => finishedAt === null || finishedAt >= late,
  ],
  ["a tag", { tag: { key: "team" } }, ({ seed }) => seed % 2 === 0],
  ["a tag and its value", { tag: { key: "team", value: "feed" } }, ({ seed }) => seed % 2 === 0 && seed < 20],
  ["no tag", { not: { tag: { key: "team" } } }, ({ seed }) => seed % 2 === 1],
  ["a note", { text: "CHAMPION" }, ({ seed }) => seed === 4 || seed === 8],
  ["a parameter", { parameter: { path: "learningRate", gt: 0.002, lte: 0.01 } }, ({ id }) => id.endsWith("5")],
  ["a parameter that equals", { parameter: { path: "learningRate", equals: 0.002 } }, ({ id }) => !id.endsWith("5")],
  ["a parameter that is a boolean", { parameter: { path: "shuffle", equals: true } }, () => true],
  [
    "a list among lists",
    { parameter: { path: "backbone.config.layers", in: [[64], [32]] } },
    ({ id }) => id.endsWith("6"),
  ],
  ["having a parameter", { parameter: { path: "search.epochs" } }, ({ kind }) => kind !== "TRAIN"],
  ["a word among words", { parameter: { path: "head.kind", in: ["TOWERS", 3] } }, ({ kind }) => kind === "TRAIN"],
  ["a mean metric", { metric: { name: "AUC", gte: 0.5 } }, ({ test }) => mean(test.cells) >= 0.5],
  [
    "a mean metric on validation",
    { metric: { name: "AUC", split: "VALIDATION", lt: 0.4 } },
    ({ validation }) => mean(validation.cells) < 0.4,
  ],
  [
    "a metric of a cell",
    { metric: { name: "AUC", scenario: "home", task: "like", gt: 0.7 } },
    ({ test }) => test.cells.some((cell) => cell.scenario.key === "home" && cell.task.key === "like" && cell.auc > 0.7),
  ],
  [
    "a metric of some cell of a task",
    { metric: { name: "AUC", task: "click", gt: 0.9 } },
    ({ test }) => test.cells.some((cell) => cell.task.key === "click" && cell.auc > 0.9),
  ],
  ["a metric nobody measured", { metric: { name: "GAUC" } }, () => false],
  [
    "all put together",
    {
      or: [
        { and: [{ kind: "PRUNE" }, { not: { state: "CANCELLED" } }], seed: 9 },
        { metric: { name: "AUC", gt: 0.6 } },
      ],
      not: { or: [{ tag: { key: "team", value: "search" } }, { backbone: "ple" }] },
    },
    (run) =>
      ((run.kind === "PRUNE" && run.state !== "CANCELLED" && run.seed === 9) || mean(run.test.cells) > 0.6) &&
      !((run.seed % 2 === 0 && run.seed >= 20) || run.backbone.name === "ple"),
  ],
  ["nothing of an empty `or`", { or: [] }, () => false],
  ["everything of an empty `and`", { and: [] }, () => true],
];

describe("runs are listed by", () => {
  it.each(cases)("%s, as one would pick them by hand, and counted", async (_, filter, holds) => {
    const seeds = runs.filter((run) => !isDeleted(run) && holds(run)).map(({ seed }) => seed);
    expect(await listed(filter)).toEqual({ seeds, totalCount: seeds.length });
  });

  it("whether they are deleted: not, also, or only", async () => {
    expect((await listed({})).seeds).not.toContain(30);
    expect((await listed({ deleted: "INCLUDED" })).totalCount).toBe(40);
    expect(await listed({ deleted: "ONLY", kinds: ["SEARCH", "TRAIN"] })).toEqual({ seeds: [31], totalCount: 1 });
  });

  it("a filter of which no part is nothing but null", async () => {
    expect((await listed({ state: null, and: null, not: null, metric: null })).totalCount).toBe(38);
  });
});

describe("the count of a list", () => {
  it("is of all pages, and costs a statement only where it is asked for", async () => {
    const [page, counted] = [
      await server.counted(`{ runs(first: 2, filter: { kind: SEARCH }) { nodes { id } } }`),
      await server.counted(`{ runs(first: 2, filter: { kind: SEARCH }) { nodes { id } totalCount } }`),
    ];
    expect(page.statements).toHaveLength(1);
    expect(counted.statements).toHaveLength(2);
    expect(counted.data.runs).toMatchObject({ nodes: [{}, {}], totalCount: 10 });
  });
});

describe("other lists", () => {
  it("have filters of their own", async () => {
    server.change(`UPDATE "Dataset" SET "status" = 'FAILED', "note" = 'broken file' WHERE "version" = 2;
      UPDATE "Scenario" SET "deletedAt" = '2026-02-01T00:00:00.000+00:00' WHERE "key" = 'channel';`);
    const { data } = await server.counted(`{
      datasets(filter: { not: { status: FAILED }, name: "clicks" }) { totalCount nodes { version } }
      broken: datasets(filter: { text: "BROKEN" }) { nodes { version } }
      scenarios(filter: { or: [{ key: "home" }, { text: "chan" }] }) { totalCount nodes { key } }
      gone: scenarios(filter: { deleted: ONLY }) { nodes { key } }
      tasks(filter: { keys: ["like", "share"] }) { totalCount nodes { key } }
      experiments(filter: { text: "swe", state: RUNNING }) { totalCount nodes { name } }
      ended: experiments(state: FINISHED, filter: { deleted: INCLUDED }) { totalCount }
    }`);
    expect(data).toEqual({
      datasets: { totalCount: 4, nodes: [5, 4, 3, 1].map((version) => ({ version })) },
      broken: { nodes: [{ version: 2 }] },
      scenarios: { totalCount: 1, nodes: [{ key: "home" }] },
      gone: { nodes: [{ key: "channel" }] },
      tasks: { totalCount: 1, nodes: [{ key: "like" }] },
      experiments: { totalCount: 1, nodes: [{ name: "sweep" }] },
      ended: { totalCount: 0 },
    });
  });
});
