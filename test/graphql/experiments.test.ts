import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hearStatements } from "../../bench/statements.ts";
import { imported, prepareSmall } from "../server/smallDataset.ts";
import { created, endedExperiment } from "../server/smallExperiments.ts";
import { autoIfs, backbone, hyperParameters } from "../server/smallModels.ts";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

interface Cell {
  readonly scenario: { readonly key: string };
  readonly task: { readonly key: string };
  readonly auc: number | null;
  readonly logloss: number | null;
}

// Two configurations, one of them a search with its prune, with two seeds each: six runs.
let server: TestServer;
let dataset: string;
let experiment: string;

beforeAll(async () => {
  server = await startTestServer({ works: true });
  await prepareSmall(server);
  dataset = await imported(server);
  const { search: _, ...plain } = hyperParameters;
  experiment = await created(server, {
    name: "towers or flows",
    configurations: [
      { name: "towers", backbone, head: { kind: "TOWERS", layers: [4] }, hyperParameters: plain },
      { name: "flows", backbone, head: autoIfs, hyperParameters, prune: { retrain: { maxEpochs: 1 } } },
    ],
    datasets: [dataset],
    seeds: [1, 2],
  });
  expect(await endedExperiment(server, experiment)).toBe("FINISHED");
});
afterAll(() => server.close());

describe("an experiment", () => {
  it("trains every configuration with every seed, each a trial", async () => {
    const { data } = await server.query(
      `query ($id: ID!) {
        experiment(id: $id) {
          name state sweep { kind } trialCounts { state count } best { configuration }
          trials { nodes { number configuration values seed state rung dataset { name } runs { kind state seed } } }
        }
      }`,
      { id: experiment },
    );
    const { trials, ...rest } = data.experiment;
    expect(rest).toEqual({
      name: "towers or flows",
      state: "FINISHED",
      sweep: null,
      trialCounts: [{ state: "FINISHED", count: 4 }],
      best: [],
    });
    const same = { values: {}, state: "FINISHED", rung: 0, dataset: { name: "small" } };
    const runs = (seed: number, ...kinds: string[]) => kinds.map((kind) => ({ kind, state: "SUCCEEDED", seed }));
    expect(trials.nodes).toEqual([
      { number: 1, configuration: "towers", seed: 1, ...same, runs: runs(1, "TRAIN") },
      { number: 2, configuration: "towers", seed: 2, ...same, runs: runs(2, "TRAIN") },
      { number: 3, configuration: "flows", seed: 1, ...same, runs: runs(1, "SEARCH", "PRUNE") },
      { number: 4, configuration: "flows", seed: 2, ...same, runs: runs(2, "SEARCH", "PRUNE") },
    ]);
  });

  it("gives per cell the mean and the standard deviation over the seeds, of the final models on the test split", async () => {
    const { data } = await server.query(
      `query ($id: ID!) {
        experiment(id: $id) {
          trials { nodes { configuration finalRun { kind matrix { meanAuc meanLogloss cells { scenario { key } task { key } auc logloss } } } } }
          results {
            configuration values trials runs dataset { id }
            meanAuc { mean deviation runs } meanLogloss { mean deviation runs }
            cells { scenario { key } task { key } auc { mean deviation runs } logloss { mean deviation runs } }
          }
        }
      }`,
      { id: experiment },
    );
    const { trials, results } = data.experiment;
    expect(trials.nodes.map(({ finalRun }: { finalRun: { kind: string } }) => finalRun.kind)).toEqual(
      "TRAIN TRAIN PRUNE PRUNE".split(" "),
    );
    for (const [index, configuration] of ["towers", "flows"].entries()) {
      const [one, other] = trials.nodes
        .slice(2 * index, 2 * index + 2)
        .map(({ finalRun }: { finalRun: { matrix: object } }) => finalRun.matrix);
      const result = results[index];
      expect(result).toMatchObject({ configuration, values: {}, trials: 2, runs: 2, dataset: { id: dataset } });
      expect(result.meanAuc).toEqual(overTwo(one.meanAuc, other.meanAuc));
      expect(result.meanLogloss).toEqual(overTwo(one.meanLogloss, other.meanLogloss));
      expect(result.cells).toEqual(
        one.cells.map(({ scenario, task, auc, logloss }: Cell, i: number) => ({
          scenario,
          task,
          auc: auc === null ? null : overTwo(auc, other.cells[i].auc),
          logloss: overTwo(logloss!, other.cells[i].logloss),
        })),
      );
    }
  });

  it("costs no statement per trial", async () => {
    let statements = 0;
    // The worker, which is in this process, looks for jobs meanwhile.
    const stop = hearStatements((sql) => void (/\bJob\b/.test(sql) || statements++));
    await server.query(
      `query ($id: ID!) {
        experiment(id: $id) {
          results { dataset { name } score { mean } meanAuc { mean } cells { scenario { key } task { key } auc { mean } } }
          best { configuration }
          trials { nodes { dataset { name } runs { id } finalRun { id } experiment { name } } }
          trialCounts { count }
        }
      }`,
      { id: experiment },
    );
    stop();
    // The experiment, its trials for the results and for the list, their counts and their runs, the metrics on two
    // splits, the dataset, the scenarios, the tasks.
    expect(statements).toBe(10);
  });

  it("is found by its id, from its trials and from their runs", async () => {
    const { data } = await server.query(
      `query ($id: ID!) {
        node(id: $id) { ... on Experiment { name trials(first: 1) { nodes { id runs { trial { number experiment { id } } } } } } }
      }`,
      { id: experiment },
    );
    const [trial] = data.node.trials.nodes;
    expect(trial.runs).toEqual([{ trial: { number: 1, experiment: { id: experiment } } }]);
    const byId = await server.query(`query ($id: ID!) { node(id: $id) { __typename ... on Trial { seed } } }`, trial);
    expect(byId.data.node).toEqual({ __typename: "Trial", seed: 1 });
  });

  it("has trials that are listed page by page, by state", async () => {
    const page = `query ($id: ID!, $after: String, $state: TrialState) {
      experiment(id: $id) {
        trials(first: 3, after: $after, state: $state) { nodes { number } pageInfo { hasNextPage endCursor } }
      }
    }`;
    const { trials: first } = (await server.query(page, { id: experiment, state: "FINISHED" })).data.experiment;
    expect(first).toMatchObject({
      nodes: [{ number: 1 }, { number: 2 }, { number: 3 }],
      pageInfo: { hasNextPage: true },
    });
    const after = first.pageInfo.endCursor;
    const { trials: second } = (await server.query(page, { id: experiment, after })).data.experiment;
    expect(second).toMatchObject({ nodes: [{ number: 4 }], pageInfo: { hasNextPage: false } });
    expect((await server.query(page, { id: experiment, state: "FAILED" })).data.experiment.trials.nodes).toEqual([]);
  });

  it("is listed with the others, newest first, by state", async () => {
    const list = `query ($state: ExperimentState) { experiments(state: $state) { nodes { id finishedAt } } }`;
    expect((await server.query(list)).data.experiments.nodes).toEqual([
      { id: experiment, finishedAt: expect.any(String) },
    ]);
    expect((await server.query(list, { state: "RUNNING" })).data.experiments.nodes).toEqual([]);
  });
});

function overTwo(a: number, b: number): object {
  return { mean: closeTo((a + b) / 2), deviation: closeTo(Math.abs(a - b) / Math.SQRT2), runs: 2 };
}

function closeTo(value: number): unknown {
  return expect.closeTo(value, 12);
}
