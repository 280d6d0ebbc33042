import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imported, prepareSmall, smallCsv, smallInput } from "../server/smallDataset.ts";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ works: true });
  await prepareSmall(server);
});
afterAll(() => server.close());

const read = `query ($id: ID!) {
  dataset(id: $id) {
    status groupColumn timeColumn
    warnings { kind message column task { key } split rows share evidence }
  }
}`;

describe("a dataset in whose file validation and test are known", () => {
  it("is imported, and warns with evidence", async () => {
    // A row number as time: every tenth row is a test row, so training goes on after the first of them. And the seconds
    // somebody watched say whether there was a click.
    const lines = smallCsv().trimEnd().split("\n");
    const again = [...lines, ...lines.slice(1), ...lines.slice(1), ...lines.slice(1)];
    const rows = again.map((line, row) => {
      const seconds = line.split(",")[4] === "1" ? 30 + (row % 7) : row % 5;
      return row === 0 ? `${line},second,watched` : `${line},${row},${seconds}`;
    });
    await server.put("leaky.csv", rows.join("\n"));

    const id = await imported(server, {
      ...smallInput,
      name: "leaky",
      file: "leaky.csv",
      fields: [{ column: "age" }, { column: "watched", kind: "NUMERIC", bucketing: { kind: "LOG_SQUARED" } }],
      labels: [{ column: "click", task: "click" }],
      group: { column: "user" },
      time: { column: "second" },
    });

    const { data } = await server.query(read, { id });
    const { warnings, ...rest } = data.dataset;
    expect(rest).toEqual({ status: "READY", groupColumn: "user", timeColumn: "second" });
    expect(warnings).toEqual([
      {
        kind: "LABEL_PREDICTED_BY_FIELD",
        message:
          'The field "watched" alone predicts click almost perfectly: its values\' shares of positives in training rank ' +
          "the 240 validation and test rows with an AUC of 1.0000 in home, 1.0000 in search.",
        column: "watched",
        task: { key: "click" },
        split: null,
        rows: 240,
        share: null,
        evidence: expect.objectContaining({ everyNthValue: 1 }),
      },
      {
        kind: "FUTURE_IN_TRAINING",
        message:
          '952 of 960 training rows (99.2 %) have a later "second" than the first validation or test row (9), ' +
          "the last of them 1198.",
        column: "second",
        task: null,
        split: "TRAIN",
        rows: 952,
        share: 952 / 960,
        evidence: {
          later: "9",
          train: { from: "1", until: "1198" },
          validation: { from: "9", until: "1199" },
          test: { from: "10", until: "1200" },
        },
      },
      expect.objectContaining({ kind: "FUTURE_IN_TRAINING", split: "VALIDATION", rows: 119 }),
    ]);
  });
});

describe("a cell of the time column that is no time", () => {
  it("fails the import with its line", async () => {
    const lines = smallCsv().trimEnd().split("\n");
    const rows = lines.map((line, row) => `${line},${row === 0 ? "day" : row === 4 ? "soon" : "2026-01-31"}`);
    await server.put("late.csv", rows.join("\n"));

    const id = await imported(server, { ...smallInput, name: "late", file: "late.csv", time: { column: "day" } });

    const failure = `query ($id: ID!) { dataset(id: $id) { error { code column line value } warnings { kind } } }`;
    expect((await server.query(failure, { id })).data.dataset).toEqual({
      error: { code: "INVALID_INPUT", column: "day", line: 5, value: '"soon"' },
      warnings: [],
    });
  });
});

describe("a dataset in whose file nothing is known", () => {
  it("has no warnings", async () => {
    const id = await imported(server, { ...smallInput, fields: [{ column: "item" }, { column: "age" }] });
    const { data } = await server.query(read, { id });
    expect(data.dataset).toEqual({ status: "READY", groupColumn: null, timeColumn: null, warnings: [] });
  });
});
