import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFilledServer } from "../server/filledServer.ts";
import type { FilledServer } from "../server/filledServer.ts";

// 60 runs: 15 searches with two prunes each, and 15 towers, over 5 datasets.
let server: FilledServer;
beforeAll(async () => {
  server = await startFilledServer(60);
});
afterAll(() => server.close());

describe("a page of runs", () => {
  it("has the metrics of each run in two statements, one for the runs and one for the metrics", async () => {
    const { data, statements } = await server.counted(
      `query ($first: Int!) {
        runs(first: $first) { nodes { id metrics(names: [AUC, LOGLOSS, CALIBRATION, ECE, NORMALISED_ENTROPY]) { name mean cells } } }
      }`,
      { first: 50 },
    );
    expect(statements).toHaveLength(2);
    expect(data.runs.nodes).toHaveLength(50);
    for (const { metrics } of data.runs.nodes)
      expect(metrics.map(({ name, cells }: { name: string; cells: number }) => [name, cells])).toEqual([
        ["AUC", 6],
        ["LOGLOSS", 6],
        ["CALIBRATION", 6],
        ["ECE", 6],
        ["NORMALISED_ENTROPY", 6],
      ]);
  });

  it("takes as many statements for 50 runs as for 5, however much is asked of each", async () => {
    const deep = `query ($first: Int!) {
      runs(first: $first) {
        nodes {
          id kind state
          dataset { name version counts { scenario { key } task { key } rows } }
          parent { id seed dataset { id } }
          children { id state matrix { meanAuc } }
          matrix {
            meanAuc meanLogloss
            cells { scenario { key name } task { key name } auc logloss rows metrics { name value low high } }
          }
          validation: matrix(split: VALIDATION) { meanAuc }
          metrics { name mean lowest highest }
          history { epoch matrices { split meanAuc cells { auc } } }
          flows { scenario { key } task { key } flow shareRemoved }
        }
      }
    }`;
    const five = await server.counted(deep, { first: 5 });
    const fifty = await server.counted(deep, { first: 50 });
    expect(five.data.runs.nodes).toHaveLength(5);
    expect(fifty.data.runs.nodes).toHaveLength(50);
    expect(fifty.statements).toHaveLength(five.statements.length);
    expect(fifty.statements.length).toBeLessThan(25);
  });
});

describe("the metrics of a cell", () => {
  it("are all there wherever in the operation they are asked for", async () => {
    const { data } = await server.counted(
      `{
        runs(first: 1) { nodes { ...Whole plain: matrix { cells { metrics { name } } } } }
      }
      fragment Whole on Run { id matrix { ... on Matrix { cells { auc ...Measured } } } }
      fragment Measured on Cell { every: metrics { name } }`,
      {},
    );
    const [{ matrix, plain }] = data.runs.nodes;
    expect(matrix.cells[0].every.map(({ name }: { name: string }) => name)).toEqual([
      "AUC",
      "LOGLOSS",
      "CALIBRATION",
      "ECE",
      "NORMALISED_ENTROPY",
    ]);
    expect(plain.cells.map((cell: { metrics: object }) => cell.metrics)).toEqual(
      matrix.cells.map((cell: { every: object }) => cell.every),
    );
  });
});

describe("the metrics of a run summed up", () => {
  it("are mean, lowest and highest over the cells of the matrix", async () => {
    const { data } = await server.counted(
      `{ runs(first: 1) { nodes {
        metrics(split: VALIDATION, names: [NORMALISED_ENTROPY, GAUC, AUC]) { name mean lowest highest cells }
        matrix(split: VALIDATION) { meanAuc cells { auc metrics { name value } } }
      } } }`,
      {},
    );
    const [{ metrics, matrix }] = data.runs.nodes;
    const valuesOf = (wanted: string): number[] =>
      matrix.cells.flatMap((cell: { metrics: { name: string; value: number }[] }) =>
        cell.metrics.flatMap(({ name, value }) => (name === wanted ? [value] : [])),
      );
    // Nobody measured GAUC.
    expect(metrics).toEqual(
      ["NORMALISED_ENTROPY", "AUC"].map((name) => {
        const values = valuesOf(name);
        const mean = expect.closeTo(values.reduce((sum, value) => sum + value, 0) / values.length, 12);
        return { name, mean, lowest: Math.min(...values), highest: Math.max(...values), cells: 6 };
      }),
    );
    expect(metrics[1].mean).toBeCloseTo(matrix.meanAuc, 12);
    expect(matrix.cells.map(({ auc }: { auc: number }) => auc)).toEqual(valuesOf("AUC"));
  });
});
