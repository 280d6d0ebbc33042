import { readdir } from "node:fs/promises";
import { join } from "node:path";
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

describe("a malformed file", () => {
  const failure = `query ($id: ID!) {
    dataset(id: $id) {
      status version vocabularySize readyAt counts { rows }
      error { code message column line value }
    }
  }`;

  it("fails the import with the column, the line and the value, and leaves nothing behind", async () => {
    await server.put("bad.csv", smallCsv().replace(/^(u7,.*),[01],[01],train$/m, "$1,yes,0,train"));
    const id = await imported(server, { ...smallInput, name: "bad", file: "bad.csv" });
    const { data } = await server.query(failure, { id });
    const { error, ...rest } = data.dataset;
    expect(rest).toEqual({ status: "FAILED", version: null, vocabularySize: null, readyAt: null, counts: null });
    expect(error).toEqual({
      code: "INVALID_INPUT",
      message: 'bad.csv, line 3, column "click": expected 0 or 1, got "yes"',
      column: "click",
      line: 3,
      value: '"yes"',
    });
    expect(await readdir(join(server.files, "..", "artifacts")).catch(() => [])).toEqual([]);
    expect(await readdir(join(server.files, "..", "scratch"))).toEqual([]);
  });

  it("fails the import without a line where no single line is at fault", async () => {
    await server.put("bad.csv", smallCsv().replaceAll(",valid", ",train"));
    const id = await imported(server, { ...smallInput, name: "bad", file: "bad.csv" });
    const { data } = await server.query(failure, { id });
    expect(data.dataset.error).toMatchObject({ code: "INVALID_INPUT", column: "part", line: null });
    expect(data.dataset.error.message).toMatch(/^bad\.csv, column "part": expected rows of the validation split/);
  });

  it("does not keep its name from another try", async () => {
    await server.put("bad.csv", smallCsv());
    const id = await imported(server, { ...smallInput, name: "bad", file: "bad.csv" });
    const { data } = await server.query(failure, { id });
    expect(data.dataset).toMatchObject({ status: "READY", version: 1, error: null });
  });
});

describe("an imported dataset", () => {
  it("has a version, counts per split, scenario and task, and what is known of its fields", async () => {
    const id = await imported(server);
    const { data } = await server.query(
      `query ($id: ID!) {
        dataset(id: $id) {
          status version vocabularySize contentHash
          counts { split scenario { key } task { key } rows positives }
          fields { column kept unknownShare(split: VALIDATION) }
        }
      }`,
      { id },
    );
    const { counts, contentHash, ...rest } = data.dataset;
    expect(rest).toEqual({
      status: "READY",
      version: 1,
      vocabularySize: 12 + 9 + 4 + 2 + 4,
      fields: [
        { column: "user", kept: 12, unknownShare: 0 },
        { column: "item", kept: 9, unknownShare: 0 },
        { column: "age", kept: 4, unknownShare: 0 },
        { column: "tab", kept: 2, unknownShare: 0 },
      ],
    });
    expect(contentHash).toMatch(/^[0-9a-f]{64}$/);
    expect(counts.slice(0, 2)).toEqual([
      { split: "TRAIN", scenario: { key: "home" }, task: { key: "click" }, rows: 176, positives: expect.any(Number) },
      { split: "TRAIN", scenario: { key: "home" }, task: { key: "like" }, rows: 176, positives: expect.any(Number) },
    ]);
    expect(counts).toHaveLength(3 * 2 * 2);
    const splits: string[] = counts.map(({ split }: { split: string }) => split);
    expect([...new Set(splits)]).toEqual(["TRAIN", "VALIDATION", "TEST"]);
  });

  it("is the next version of its name where the content is new", async () => {
    await server.put("small.csv", smallCsv() + "u1,i1,30,0,1,0,train\n");
    const id = await imported(server);
    const { data } = await server.query(`query ($id: ID!) { dataset(id: $id) { version } }`, { id });
    expect(data.dataset).toEqual({ version: 2 });
  });
});
