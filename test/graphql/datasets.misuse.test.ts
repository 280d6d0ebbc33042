import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { prepareSmall, registerDataset, smallInput } from "../server/smallDataset.ts";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await prepareSmall(server);
});
afterAll(() => server.close());

afterEach(async () => {
  expect((await server.query(`{ datasets { nodes { id } } }`)).data.datasets.nodes).toEqual([]);
});

const refusal = (change: object): Promise<Record<string, unknown>> =>
  server.refused(registerDataset, { input: { ...smallInput, ...change } });

describe("registerDataset refuses a file", () => {
  it.each(["../autoifs.db", "/etc/passwd", "a/../../secret.csv", "..", "a\0.csv"])("outside: %j", async (file) => {
    expect(await refusal({ file })).toMatchObject({
      code: "INVALID_INPUT",
      field: "input.file",
      expected: "a path relative to the data folder that stays below it",
    });
  });

  it("outside, behind a symbolic link", async () => {
    const outside = join(server.files, "..", "outside");
    await mkdir(outside, { recursive: true });
    await writeFile(join(outside, "secret.csv"), "user,tab\n");
    await symlink(join(outside, "secret.csv"), join(server.files, "link.csv"));
    await symlink(outside, join(server.files, "folder"));
    for (const file of ["link.csv", "folder/secret.csv"]) {
      expect(await refusal({ file })).toMatchObject({
        message: `input.file: expected a path relative to the data folder that stays below it, got "${file}"`,
        field: "input.file",
      });
    }
  });

  it("that is not there", async () => {
    expect(await refusal({ file: "none.csv" })).toMatchObject({
      message: 'input.file: expected a file below the data folder, got "none.csv"',
      code: "INVALID_INPUT",
      field: "input.file",
    });
  });

  it("of another kind", async () => {
    await server.put("notes.txt", "user\n");
    expect(await refusal({ file: "notes.txt" })).toMatchObject({
      message: "input.file: expected a file whose name ends in .csv, .csv.gz or .parquet, got notes.txt",
      field: "input.file",
    });
    await server.put("empty.csv", "");
    expect(await refusal({ file: "empty.csv" })).toMatchObject({ field: "input.file" });
  });
});

describe("registerDataset refuses a description", () => {
  it("with a column the file does not have", async () => {
    const fields = [{ column: "user" }, { column: "colour" }];
    expect(await refusal({ fields })).toMatchObject({
      code: "INVALID_INPUT",
      field: "input.fields[1].column",
      received: '"colour"',
      hint: 'the file has "user", "item", "age", "tab", "click", "like", "part"',
    });
  });

  it("without fields or labels", async () => {
    expect(await refusal({ fields: [] })).toMatchObject({ field: "input.fields", expected: "at least one field" });
    expect(await refusal({ labels: [] })).toMatchObject({ field: "input.labels", expected: "at least one label" });
  });

  it("with a scenario or task that is not registered", async () => {
    const values = [
      { value: "0", scenario: "home" },
      { value: "1", scenario: "shop" },
    ];
    expect(await refusal({ scenario: { column: "tab", values } })).toEqual({
      message: 'input.scenario.values[1].scenario: expected the key of a registered scenario, got "shop"',
      code: "INVALID_INPUT",
      field: "input.scenario.values[1].scenario",
      expected: "the key of a registered scenario",
      received: '"shop"',
      hint: "register it with `registerScenario` first",
    });
    expect(await refusal({ labels: [{ column: "click", task: "buy" }] })).toMatchObject({
      field: "input.labels[0].task",
      received: '"buy"',
      hint: "register it with `registerTask` first",
    });
  });

  it("with a bucketing that does not go with the field", async () => {
    const fields = [{ column: "user", bucketing: { kind: "LOG_SQUARED" } }];
    expect(await refusal({ fields })).toMatchObject({
      message: 'input.fields[0].bucketing: expected no member of this name here, got {"kind":"LOG_SQUARED"}',
      field: "input.fields[0].bucketing",
    });
    expect(await refusal({ fields: [{ column: "age", kind: "NUMERIC" }] })).toMatchObject({
      field: "input.fields[0].bucketing",
      received: "nothing",
    });
  });

  it("with a bucketing that makes no sense", async () => {
    const age = (bucketing: object): object => ({ fields: [{ column: "age", kind: "NUMERIC", bucketing }] });
    expect(await refusal(age({ kind: "QUANTILES" }))).toMatchObject({ field: "input.fields[0].bucketing.count" });
    expect(await refusal(age({ kind: "QUANTILES", count: 1 }))).toMatchObject({
      field: "input.fields[0].bucketing.count",
      expected: "a whole number from 2 to 65536",
    });
    expect(await refusal(age({ kind: "BOUNDARIES", boundaries: [2, 1] }))).toMatchObject({
      field: "input.fields[0].bucketing.boundaries[1]",
      expected: "a number above 2",
    });
    expect(await refusal(age({ kind: "LOG_SQUARED", count: 3 }))).toMatchObject({
      field: "input.fields[0].bucketing.count",
      expected: "no member of this name here",
    });
  });

  it("with a split that makes no sense", async () => {
    expect(await refusal({ split: { kind: "COLUMN" } })).toMatchObject({ field: "input.split.column" });
    expect(await refusal({ split: { kind: "RANDOM", column: "part" } })).toMatchObject({ field: "input.split.column" });
    expect(await refusal({ split: { kind: "RANDOM", validationShare: 0.6, testShare: 0.5 } })).toMatchObject({
      field: "input.split.testShare",
      expected: "shares that together are below 1",
    });
  });

  it("with a split by time whose bounds are no times, or not in order", async () => {
    const split = { kind: "TIME", column: "age", validationFrom: "30", testFrom: "40" };
    expect(await refusal({ split: { ...split, testFrom: "later" } })).toMatchObject({
      field: "input.split.testFrom",
      received: '"later"',
    });
    expect(await refusal({ split: { ...split, testFrom: "20" } })).toMatchObject({
      field: "input.split.testFrom",
      expected: 'a time after "30"',
    });
    expect(await refusal({ split: { ...split, testFrom: null } })).toMatchObject({ field: "input.split.testFrom" });
  });

  it("with a group or a time column that is not there, or a label", async () => {
    expect(await refusal({ group: { column: "session" } })).toMatchObject({
      code: "INVALID_INPUT",
      field: "input.group.column",
      expected: "a column of the file",
      received: '"session"',
    });
    expect(await refusal({ time: { column: "click" } })).toMatchObject({
      field: "input.time.column",
      expected: "a column that is no label",
    });
  });

  it("with a name that is no key", async () => {
    expect(await refusal({ name: "My data" })).toMatchObject({ code: "INVALID_INPUT", field: "input.name" });
  });
});
