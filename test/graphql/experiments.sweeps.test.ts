import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imported, prepareSmall } from "../server/smallDataset.ts";
import { created, endedExperiment } from "../server/smallExperiments.ts";
import { backbone } from "../server/smallModels.ts";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

let server: TestServer;
let dataset: string;

const sweepOf = (sweep: object, more: object = {}): object => ({
  name: "sweep",
  configurations: [
    {
      name: "towers",
      backbone,
      head: { kind: "TOWERS", layers: [4] },
      hyperParameters: { embeddingDim: 4, batchSize: 64, maxEpochs: 2, patience: 5 },
    },
  ],
  datasets: [dataset],
  sweep,
  ...more,
});

beforeAll(async () => {
  server = await startTestServer({ works: true });
  await prepareSmall(server);
  dataset = await imported(server);
});
afterAll(() => server.close());

describe("a GRID sweep", () => {
  it("trains all combinations, the best on the validation split first", async () => {
    const parameters = [{ path: "learningRate", values: [1e-4, 0.02] }];
    const id = await created(server, sweepOf({ kind: "GRID", parameters }));
    expect(await endedExperiment(server, id)).toBe("FINISHED");
    const { data } = await server.query(
      `query ($id: ID!) {
        experiment(id: $id) {
          sweep { kind points rungs }
          trials { nodes { number values finalRun { hyperParameters { learningRate } matrix(split: VALIDATION) { meanAuc } } } }
          results { values runs score { mean deviation runs } }
          best { values }
        }
      }`,
      { id },
    );
    const { sweep, trials, results, best } = data.experiment;
    expect(sweep).toEqual({ kind: "GRID", points: 2, rungs: [] });
    const scores = trials.nodes.map(({ finalRun, values }: { finalRun: Trained; values: { learningRate: number } }) => {
      expect(values).toEqual(finalRun.hyperParameters);
      return { values, runs: 1, score: { mean: finalRun.matrix.meanAuc, deviation: null, runs: 1 } };
    });
    type Scored = { score: { mean: number } };
    expect(results).toEqual(scores.toSorted((a: Scored, b: Scored) => b.score.mean - a.score.mean));
    expect(best).toEqual([{ values: results[0].values }]);
  });
});

describe("a RANDOM sweep", () => {
  it("trains a point that is drawn, of the backbone's configuration too, compared by what is declared", async () => {
    const parameters = [
      { path: "learningRate", range: { low: 0.001, high: 0.1, scale: "LOG" } },
      { path: "backbone.config.layers", values: [[4], [8, 4]] },
    ];
    const objective = { metric: "LOGLOSS", over: "WORST" };
    const id = await created(server, sweepOf({ kind: "RANDOM", parameters, trials: 1, objective }));
    expect(await endedExperiment(server, id)).toBe("FINISHED");
    const { data } = await server.query(
      `query ($id: ID!) {
        experiment(id: $id) {
          trials { nodes { values finalRun { backbone { config } hyperParameters { learningRate } matrix(split: VALIDATION) { cells { logloss } } } } }
          best { values score { mean } }
        }
      }`,
      { id },
    );
    const { trials, best } = data.experiment;
    type Drawn = { values: Record<string, unknown>; finalRun: Trained };
    for (const { values, finalRun } of trials.nodes as Drawn[]) {
      expect(finalRun.backbone.config.layers).toEqual(values["backbone.config.layers"]);
      expect(finalRun.hyperParameters.learningRate).toBe(values["learningRate"]);
    }
    const worst = trials.nodes.map(({ finalRun }: Drawn) =>
      Math.max(...finalRun.matrix.cells.map(({ logloss }) => logloss)),
    );
    expect(best).toEqual([{ values: expect.anything(), score: { mean: expect.closeTo(-Math.min(...worst), 12) } }]);
  });
});

describe("an ASHA sweep", () => {
  it("trains all points to the first rung, and only the better ones to their end", async () => {
    const parameters = [{ path: "learningRate", range: { low: 0.001, high: 0.1 } }];
    const rungs = { minimumEpochs: 1, reductionFactor: 2, maximumEpochs: 2 };
    const id = await created(server, sweepOf({ kind: "ASHA", parameters, trials: 2, rungs }));
    expect(await endedExperiment(server, id)).toBe("FINISHED");
    const { data } = await server.query(
      `query ($id: ID!) {
        experiment(id: $id) {
          sweep { rungs }
          trialCounts { state count }
          trials { nodes { state rung runs { state checkpointHash history { matrices { meanAuc } } } } }
          best { values score { mean } }
        }
      }`,
      { id },
    );
    const { sweep, trials, trialCounts, best } = data.experiment;
    expect(sweep).toEqual({ rungs: [1, 2] });
    expect(trialCounts.toSorted(byState)).toEqual([
      { state: "FINISHED", count: 1 },
      { state: "STOPPED", count: 1 },
    ]);
    const scores = trials.nodes.map(({ state, rung, runs: [run] }: AshaNode) => {
      const isFinished = state === "FINISHED";
      expect({ rung, state: run.state, epochs: run.history.length }).toEqual(
        isFinished ? { rung: 1, state: "SUCCEEDED", epochs: 2 } : { rung: 0, state: "CANCELLED", epochs: 1 },
      );
      // What is given up keeps its best checkpoint.
      expect(run.checkpointHash).toMatch(/^[0-9a-f]{64}$/);
      return { isFinished, first: run.history[0]!.matrices[0]!.meanAuc };
    });
    expect(scores.find(({ isFinished }: { isFinished: boolean }) => isFinished).first).toBe(
      Math.max(...scores.map(({ first }: { first: number }) => first)),
    );
    expect(best).toHaveLength(1);
  });
});

interface Trained {
  readonly backbone: { readonly config: { readonly layers: number[] } };
  readonly hyperParameters: { readonly learningRate: number };
  readonly matrix: { readonly meanAuc: number; readonly cells: readonly { readonly logloss: number }[] };
}

interface AshaNode {
  readonly state: string;
  readonly rung: number;
  readonly runs: readonly [
    {
      readonly state: string;
      readonly checkpointHash: string;
      readonly history: readonly { readonly matrices: readonly { readonly meanAuc: number }[] }[];
    },
  ];
}

function byState(a: { readonly state: string }, b: { readonly state: string }): number {
  return a.state < b.state ? -1 : 1;
}
