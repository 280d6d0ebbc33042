/** What models meet in use: how the rows they answer move away from training, and how they hold against what happened. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/runCli.ts";
import { readSplit } from "../../src/data/arrowFiles.ts";
import { createServedRecorder } from "../../src/services/drift/servedRecorder.ts";
import { manifestOf } from "../../src/services/stored.ts";
import type { SplitRows } from "../../src/data/spec.ts";
import { startBulkWorker, untrainedRun } from "../server/bulkWork.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { startMadeServer } from "../server/madeRuns.ts";
import { eventually } from "../server/testServer.ts";

let made: MadeServer;
let dataset: string;
/** Ids of the versions of the model `ranker`. */
let versions: string[];

beforeAll(async () => {
  made = await startMadeServer();
  dataset = await made.imported();
  const { parts } = await startBulkWorker(made);
  await ask(`mutation { registerModel(input: { key: "ranker" }) { model { id } } }`);
  versions = [];
  for (let version = 1; version <= 2; version++) {
    const run = await untrainedRun(parts, dataset);
    const { createModelVersion } = await ask(
      `mutation ($run: ID!) { createModelVersion(input: { model: "ranker", run: $run }) { modelVersion { id } } }`,
      { run },
    );
    versions.push(createModelVersion.modelVersion.id);
  }
});
afterAll(() => made.close());

/** The data of a request that must not fail. */
async function ask(document: string, variables: Readonly<Record<string, unknown>> = {}) {
  const { data, errors } = await made.server.query(document, variables);
  if (errors) throw new Error(errors[0]!.message);
  return data;
}

const predict = `query ($model: String!, $rows: [PredictRowInput!]!) {
  predict(model: $model, rows: $rows) { rows { tasks { task { key } probability } } }
}`;
const recordOutcomes = `mutation ($outcomes: [OutcomeInput!]!) {
  recordOutcomes(input: { model: "ranker", outcomes: $outcomes }) {
    recorded unchanged errors { index id task code message } userErrors { message }
  }
}`;

const days = { from: new Date(Date.now() - 86_400_000).toISOString(), to: new Date().toISOString() };

async function driftOf(version: string) {
  const document = `query ($version: ID!, $from: DateTime!, $to: DateTime!) {
    node(id: $version) { ... on ModelVersion { drift(from: $from, to: $to) {
      scenario { key } column trainingRows servedRows psi chance verdict unknownTrainingShare unknownServedShare
      bins { kind value trainingShare servedShare }
    } } }
  }`;
  const { node } = await ask(document, { version, ...days });
  return node.drift as Drift[];
}

async function calibrationOf(version: string) {
  const document = `query ($version: ID!, $from: DateTime!, $to: DateTime!) {
    node(id: $version) { ... on ModelVersion { calibration(from: $from, to: $to) {
      scenario { key } task { key } rows meanPredicted meanObserved ece
      ratio { name value reason } auc { value low high reason } logloss { value } bins { rows predicted observed }
    } } }
  }`;
  const { node } = await ask(document, { version, ...days });
  return node.calibration;
}

interface Drift {
  readonly scenario: { readonly key: string };
  readonly column: string;
  readonly psi: number | null;
  readonly [figure: string]: unknown;
}

const home = (user: string, id?: string) => ({ scenario: "home", values: { user }, ...(id ? { id } : {}) });

describe("the drift of a version", () => {
  it("is that of the rows it answered by its model's name, against the training rows of its dataset", async () => {
    await ask(predict, { model: "ranker@1", rows: [home("u0"), home("u0"), home("u7"), home("nobody")] });
    // A server counts what it has answered every second.
    const [user] = await eventually(async () => {
      const drift = await driftOf(versions[0]!);
      return drift[0]!["servedRows"] === 4 ? drift : undefined;
    });
    const { train } = await splits();
    const inHome = Array.from(train.scenario).filter((scenario) => scenario === 0).length;
    expect(user).toMatchObject({
      scenario: { key: "home" },
      column: "user",
      trainingRows: inHome,
      servedRows: 4,
      verdict: "TOO_FEW",
      unknownTrainingShare: 0,
      unknownServedShare: 0.25,
    });
    const bins = user!["bins"] as { kind: string; value: string | null; servedShare: number; trainingShare: number }[];
    // All 20 users are in training, so there are no others.
    expect(bins.map(({ kind }) => kind)).toEqual([...Array.from({ length: 20 }, () => "VALUE"), "UNKNOWN"]);
    const shares = bins
      .filter(({ servedShare }) => servedShare > 0)
      .map(({ value, servedShare }) => [value, servedShare]);
    expect(shares.sort()).toEqual([
      [null, 0.25],
      ["u0", 0.5],
      ["u7", 0.25],
    ]);
    expect(bins.reduce((sum, { trainingShare }) => sum + trainingShare, 0)).toBeCloseTo(1, 12);
  });

  it("is by scenario, then field; a scenario without rows has no index", async () => {
    const drift = await driftOf(versions[0]!);
    expect(drift.map(({ scenario, column }) => [scenario.key, column])).toEqual([
      ["home", "user"],
      ["home", "tab"],
      ["search", "user"],
      ["search", "tab"],
    ]);
    expect(drift[2]).toMatchObject({
      servedRows: 0,
      psi: null,
      chance: null,
      verdict: "TOO_FEW",
      unknownServedShare: null,
    });
  });

  it("is of the rows of all servers, with the index of the shares of both sides", async () => {
    const { train, test } = await splits();
    await serve(versions[1]!, test);
    await serve(versions[1]!, { ...test, rows: 1000 });
    const served = { ...test, rows: test.rows + 1000, scenario: [...test.scenario, ...test.scenario.slice(0, 1000)] };
    const ids = Int32Array.from([...test.ids, ...test.ids.slice(0, 2000)]);
    const drift = await driftOf(versions[1]!);
    for (const [scenario, key] of ["home", "search"].entries()) {
      const before = usersIn(train, scenario);
      const now = usersIn({ ...served, ids }, scenario);
      const user = drift.find((one) => one.scenario.key === key && one.column === "user")!;
      expect([user["trainingRows"], user["servedRows"]]).toEqual([before.length, now.length]);
      expect(user.psi).toBeCloseTo(slowPsi(before, now), 10);
    }
    // A field that is the scenario's own column is always the same.
    expect(drift.filter(({ column }) => column === "tab")).toEqual([
      expect.objectContaining({ psi: 0, verdict: "STABLE" }),
      expect.objectContaining({ psi: 0, verdict: "STABLE" }),
    ]);
  });

  it("is SHIFTED where the rows are others", async () => {
    const { test } = await splits();
    const rows = {
      rows: 5000,
      ids: Int32Array.from({ length: 10_000 }, (_, i) => test.ids[i % 2]!),
      scenario: new Int32Array(5000),
    };
    await serve(versions[1]!, rows);
    const [user] = await driftOf(versions[1]!);
    expect(user).toMatchObject({ verdict: "SHIFTED" });
    expect(user!.psi).toBeGreaterThan(user!["chance"] as number);
  });

  it("is nothing on days on which nothing was served", async () => {
    const document = `query ($version: ID!) { node(id: $version) { ... on ModelVersion {
      drift(from: "2020-01-01T00:00:00.000Z", to: "2020-12-31T23:59:59.000Z") { servedRows verdict }
    } } }`;
    const { node } = await ask(document, { version: versions[0]! });
    expect(node.drift).toEqual(Array.from({ length: 4 }, () => ({ servedRows: 0, verdict: "TOO_FEW" })));
  });
});

describe("the outcome of a row", () => {
  it("is told by the id it was sent with, and told again does no harm", async () => {
    await ask(predict, { model: "ranker@2", rows: [home("u1", "told")] });
    const outcomes = [{ id: "told", task: "click", label: 1 }];
    const recorded = { recorded: 1, unchanged: 0, errors: [], userErrors: [] };
    expect((await ask(recordOutcomes, { outcomes })).recordOutcomes).toEqual(recorded);
    expect((await ask(recordOutcomes, { outcomes })).recordOutcomes).toEqual({
      ...recorded,
      recorded: 0,
      unchanged: 1,
    });
  });

  it("is refused alone where there is no such row or task, or the other label was told; the rest is recorded", async () => {
    const outcomes = [
      { id: "told", task: "click", label: 0 },
      { id: "never sent", task: "click", label: 1 },
      { id: "told", task: "buy", label: 1 },
      { id: "told", task: "like", label: 0 },
    ];
    expect((await ask(recordOutcomes, { outcomes })).recordOutcomes).toEqual({
      recorded: 1,
      unchanged: 0,
      errors: [
        {
          index: 0,
          id: "told",
          task: "click",
          code: "CONFLICT",
          message: "row told: expected label 1 for click as before, got 0",
        },
        {
          index: 1,
          id: "never sent",
          task: "click",
          code: "NOT_FOUND",
          message:
            "row never sent: expected the id of a row that ranker has answered in the last 30 days, but there is none",
        },
        {
          index: 2,
          id: "told",
          task: "buy",
          code: "NOT_FOUND",
          message: "row told: expected a task that ranker has answered it for, got buy",
        },
      ],
      userErrors: [],
    });
  });
});

describe("the calibration of a version", () => {
  it("is that of the rows whose outcome was told, cell by cell", async () => {
    const rows = Array.from({ length: 60 }, (_, i) => home(`u${i % 20}`, `row ${i}`));
    const { predict: answer } = await ask(predict, { model: "ranker@1", rows });
    const predicted: number[] = answer.rows.map(
      ({ tasks }: { tasks: { probability: number }[] }) => tasks[0]!.probability,
    );
    const labels = rows.map((_, i) => (i % 3 === 0 ? 1 : 0));
    const outcomes = rows.map(({ id }, i) => ({ id, task: "click", label: labels[i]! }));
    expect((await ask(recordOutcomes, { outcomes })).recordOutcomes.recorded).toBe(60);

    const cells = await calibrationOf(versions[0]!);
    expect(cells.map(({ scenario, task, rows }: Cell) => [scenario.key, task.key, rows])).toEqual([
      ["home", "click", 60],
      ["home", "like", 0],
      ["search", "click", 0],
      ["search", "like", 0],
    ]);
    const [click, like] = cells;
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    const losses = predicted.map((p, i) => -Math.log(labels[i] === 1 ? p : 1 - p));
    expect(click).toMatchObject({
      meanPredicted: expect.closeTo(mean(predicted), 6),
      meanObserved: expect.closeTo(1 / 3, 12),
      ratio: { name: "CALIBRATION", value: expect.closeTo(3 * mean(predicted), 5), reason: null },
      logloss: { value: expect.closeTo(mean(losses), 6) },
      auc: { value: expect.closeTo(slowAuc(predicted, labels), 12), low: expect.any(Number), reason: null },
    });
    // Twenty users, three rows each, of which those of a user are equal and stay together.
    expect(click.bins.map((bin: { rows: number }) => bin.rows)).toEqual(Array.from({ length: 10 }, () => 6));
    expect(click.ece).toBeCloseTo(
      mean(click.bins.map((bin: { predicted: number; observed: number }) => Math.abs(bin.predicted - bin.observed))),
      12,
    );
    const noRows = { value: null, reason: "NO_ROWS" };
    expect(like).toMatchObject({ rows: 0, meanPredicted: null, ece: null, auc: noRows, ratio: noRows, bins: [] });
  });
});

describe("autoifs drift", () => {
  it("shows both", async () => {
    let [out, err] = ["", ""];
    const stdout = { write: (text: string) => (out += text) };
    const stderr = { write: (text: string) => (err += text) };
    const code = await runCli(["drift", "ranker", "--days", "2"], {
      stdout,
      stderr,
      env: { AUTOIFS_URL: made.server.url },
    });
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^home +user +\d+ +\d\.\d{4} +0\.0000 +0\.0000 +SHIFTED$/m);
    // One label is told, so there is no AUC.
    expect(out).toMatch(/^home +click +1 +0\.\d{4} +1\.0000 +0\.\d{4} +– +\d\.\d{4}$/m);
  });
});

interface Cell {
  readonly scenario: { readonly key: string };
  readonly task: { readonly key: string };
  readonly rows: number;
}

async function splits() {
  const { files } = manifestOf(await made.store.datasets.get(dataset))!;
  const [train, test] = await Promise.all(
    (["train.arrow", "test.arrow"] as const).map((file) => readSplit(made.store.artifacts.path(files[file].sha256))),
  );
  return { train: train!, test: test! };
}

/** As another server would, which is then closed. */
async function serve(versionId: string, { rows, ids, scenario }: Pick<SplitRows, "rows" | "ids" | "scenario">) {
  const log = { error: (message: string) => expect.fail(message) };
  const recorder = createServedRecorder({ store: made.store, log });
  const [version] = await made.store.models.versionsByIds([versionId]);
  const run = await made.store.runs.get(version!.runId);
  const facts = { scenarios: ["home", "search"], tasks: ["click", "like"], columns: ["user", "tab"] };
  const answered = { rows, ids, numbers: new Float32Array(0), scenario, probabilities: new Float32Array(rows * 2) };
  void recorder.served({ version: version!, run, facts, ...answered, taskKeys: facts.tasks });
  await recorder.close();
}

/** The id of the user in each row of a scenario. */
function usersIn(
  { ids, scenario, rows }: { ids: Int32Array; scenario: ArrayLike<number>; rows: number },
  wanted: number,
) {
  return Array.from({ length: rows }, (_, row) => row)
    .filter((row) => scenario[row] === wanted)
    .map((row) => ids[row * 2]!);
}

/** By the definition; a bin per user. */
function slowPsi(before: readonly number[], now: readonly number[]): number {
  const users = [...new Set([...before, ...now])];
  const share = (rows: readonly number[], user: number) =>
    (rows.filter((one) => one === user).length + 0.5) / (rows.length + users.length / 2);
  return users
    .map((user) => [share(before, user), share(now, user)] as const)
    .reduce((sum, [p, q]) => sum + (q - p) * Math.log(q / p), 0);
}

function slowAuc(scores: readonly number[], labels: readonly number[]): number {
  const pairs = scores.flatMap((p, i) =>
    labels[i] === 0 ? [] : scores.flatMap((q, j) => (labels[j] === 1 ? [] : [p > q ? 1 : p === q ? 0.5 : 0])),
  );
  return pairs.reduce<number>((a, b) => a + b, 0) / pairs.length;
}
