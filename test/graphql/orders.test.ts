import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFilledServer } from "../server/filledServer.ts";
import type { FilledServer } from "../server/filledServer.ts";

let server: FilledServer;
beforeAll(async () => {
  server = await startFilledServer(40);
  // Ends in no order of the ids, some at the same time, and six runs that have not ended.
  server.change(`
    UPDATE "ModelRun" SET "finishedAt" = '2026-01-02T00:00:0' || ("seed" % 7) || '.000+00:00';
    UPDATE "ModelRun" SET "finishedAt" = NULL, "state" = 'RUNNING' WHERE "seed" % 7 = 6;
    UPDATE "RunSummary" SET "value" = 0.5 WHERE "name" = 'auc' AND "runId" LIKE '%1';
    DELETE FROM "RunSummary" WHERE "runId" LIKE '%2';
  `);
});
afterAll(() => server.close());

interface Listed {
  readonly seed: number;
  readonly finishedAt: string | null;
  readonly metrics: readonly { readonly mean: number }[];
}

/** All runs of a list, a page of seven at a time; and its count. */
async function walked(orderBy: object, filter: object = {}, between = (): void => undefined) {
  const found: Listed[] = [];
  const counts = new Set<number>();
  let after: string | null = null;
  for (;;) {
    const { data } = await server.counted(
      `query ($orderBy: RunOrder!, $filter: RunFilter, $after: String) {
        runs(first: 7, orderBy: $orderBy, filter: $filter, after: $after) {
          totalCount nodes { seed finishedAt metrics(names: [AUC]) { mean } } pageInfo { hasNextPage endCursor }
        }
      }`,
      { orderBy, filter, after },
    );
    found.push(...data.runs.nodes);
    counts.add(data.runs.totalCount);
    after = data.runs.pageInfo.endCursor;
    if (!data.runs.pageInfo.hasNextPage) return { found, counts: [...counts] };
    between();
  }
}

const seedsOf = (found: readonly Listed[]) => found.map(({ seed }) => seed);
const allSeeds = Array.from({ length: 40 }, (_, seed) => seed);

describe("runs are ordered by", () => {
  it("the time they were queued, either way", async () => {
    expect(seedsOf((await walked({ field: "CREATED_AT", direction: "ASC" })).found)).toEqual(allSeeds);
    expect(seedsOf((await walked({ field: "CREATED_AT" })).found)).toEqual(allSeeds.toReversed());
  });

  it.each(["ASC", "DESC"])("the time they ended, %s, without those that have not", async (direction) => {
    const { found, counts } = await walked({ field: "FINISHED_AT", direction });
    const ended = allSeeds.filter((seed) => seed % 7 !== 6).sort((a, b) => (a % 7) - (b % 7) || a - b);
    expect(seedsOf(found)).toEqual(direction === "ASC" ? ended : ended.toReversed());
    expect(counts).toEqual([ended.length]);
  });

  it.each(["ASC", "DESC"])("a metric, %s, without those that have none, a filter beside it", async (direction) => {
    const all = await walked({ field: "CREATED_AT", direction: "ASC" }, { state: "SUCCEEDED" });
    const { data } = await server.counted(`{ runs(first: 100, filter: { state: SUCCEEDED, metric: { name: AUC } }) {
      nodes { id seed metrics(names: [AUC]) { mean } }
    } }`);
    const value = ({ id, metrics }: Listed & { id: string }) => (id.endsWith("1") ? 0.5 : metrics[0]!.mean);
    const expected = [...data.runs.nodes].sort((a, b) => value(a) - value(b) || a.seed - b.seed);
    const orderBy = { field: "METRIC", direction, metric: { name: "AUC" } };
    const { found, counts } = await walked(orderBy, { state: "SUCCEEDED" });
    expect(seedsOf(found)).toEqual(seedsOf(direction === "ASC" ? expected : expected.toReversed()));
    expect(found.length).toBeLessThan(all.found.length);
    expect(counts).toEqual([found.length]);
  });
});

describe("a walk through the pages", () => {
  it("meets each run once that was there at the beginning, whatever is added meanwhile", async () => {
    let added = 0;
    const addRun = (): void => {
      added++;
      server.change(`
        INSERT INTO "ModelRun" ("id", "kind", "datasetId", "backboneName", "backboneConfig", "head", "hyperParameters", "seed",
          "engine", "state", "attempt", "createdAt", "finishedAt")
        SELECT 'run_new${added}', "kind", "datasetId", "backboneName", "backboneConfig", "head", "hyperParameters",
          ${1000 + added}, "engine", 'FAILED', 1, "createdAt", '2026-01-02T00:00:09.000+00:00' FROM "ModelRun" WHERE "seed" = 0`);
    };
    const { found } = await walked({ field: "FINISHED_AT", direction: "DESC" }, {}, addRun);
    expect(seedsOf(found).toSorted((a, b) => a - b)).toEqual(allSeeds.filter((seed) => seed % 7 !== 6));
    expect(added).toBeGreaterThan(3);
    server.change(`DELETE FROM "ModelRun" WHERE "seed" >= 1000`);
  });
});

describe("other lists are ordered", () => {
  it("by name or key, equal ones by time of creation", async () => {
    server.change(`UPDATE "Dataset" SET "name" = CASE "version" WHEN 2 THEN 'a' WHEN 4 THEN 'z' ELSE 'm' END;`);
    const page = async (after: string | null) => {
      const { data } = await server.counted(
        `query ($after: String) { datasets(first: 2, after: $after, orderBy: { field: NAME, direction: ASC }) {
          nodes { version } pageInfo { endCursor }
        } }`,
        { after },
      );
      const { nodes, pageInfo } = data.datasets;
      return { versions: nodes.map(({ version }: { version: number }) => version), next: pageInfo.endCursor };
    };
    const first = await page(null);
    const second = await page(first.next);
    const third = await page(second.next);
    expect([first, second, third].map(({ versions }) => versions)).toEqual([[2, 1], [3, 5], [4]]);
    const { data } = await server.counted(`{ scenarios(orderBy: { field: KEY, direction: DESC }) { nodes { key } } }`);
    expect(data.scenarios.nodes).toEqual([{ key: "search" }, { key: "home" }, { key: "channel" }]);
  });
});

describe("the runs of a dataset and the trials of an experiment", () => {
  it("have pages and a count of their own", async () => {
    const document = `query ($after: String) { datasets(first: 5) { nodes { version runs(first: 3, after: $after) {
      totalCount edges { cursor node { seed } } pageInfo { hasNextPage }
    } } } }`;
    const { data, statements } = await server.counted(document);
    expect(statements).toHaveLength(3);
    const [newest] = data.datasets.nodes;
    const own = allSeeds.filter((seed) => Math.floor(seed / 4) % 5 === 4).toReversed();
    expect(newest.runs.edges.map((edge: { node: Listed }) => edge.node.seed)).toEqual(own.slice(0, 3));
    expect(newest.runs).toMatchObject({ totalCount: 8, pageInfo: { hasNextPage: true } });

    const next = await server.counted(document, { after: newest.runs.edges[2].cursor });
    expect(next.data.datasets.nodes[0].runs.edges.map((edge: { node: Listed }) => edge.node.seed)).toEqual(
      own.slice(3, 6),
    );
  });
});

describe("things by their ids", () => {
  it("come in the order of the ids, null where there is none", async () => {
    const { data } = await server.counted(`{
      datasets(first: 2) { nodes { id } }
      runs(first: 1) { nodes { id } }
      scenario(key: "home") { id }
    }`);
    const [one, two] = data.datasets.nodes;
    const ids = [two.id, data.runs.nodes[0].id, "run_none", "constructor", "", one.id, data.scenario.id, two.id];
    const { data: found, statements } = await server.counted(
      `query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }`,
      { ids },
    );
    expect(found.nodes.map((node: { id: string } | null) => node && node.id)).toEqual([
      ...ids.slice(0, 2),
      null,
      null,
      null,
      ...ids.slice(5),
    ]);
    expect(statements).toHaveLength(3);
  });
});
