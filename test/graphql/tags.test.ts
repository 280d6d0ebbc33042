import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMadeServer } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { storedDataset, storedRun } from "../server/storedThings.ts";

let made: MadeServer;
let dataset: string;
let run: string;
beforeAll(async () => {
  made = await startMadeServer();
  dataset = await storedDataset(made.store, "tagged");
  run = await storedRun(made.store, dataset, { model: "tagged model" });
});
afterAll(() => made.close());

const setTags = `mutation ($input: SetTagsInput!) {
  setTags(input: $input) { annotated { id tags { key value } noteVersion } userErrors { code field message hint } }
}`;
const removeTags = `mutation ($input: RemoveTagsInput!) {
  removeTags(input: $input) { annotated { tags { key value } noteVersion } userErrors { code field message } }
}`;
const setNote = `mutation ($input: SetNoteInput!) {
  setNote(input: $input) { annotated { __typename note noteVersion } userErrors { code field message } }
}`;

const noteVersion = async (id: string): Promise<number> => {
  const { data } = await made.server.query(`query ($id: ID!) { node(id: $id) { ... on Annotated { noteVersion } } }`, {
    id,
  });
  return data.node.noteVersion;
};

describe("tags", () => {
  it("are none at first", async () => {
    const { data } = await made.server.query(
      `query ($id: ID!) { run(id: $id) { tags { key value } note noteVersion } }`,
      {
        id: run,
      },
    );
    expect(data.run).toEqual({ tags: [], note: "", noteVersion: 1 });
  });

  it("are hung on a run, and read by key", async () => {
    const tags = [{ key: "team/owner", value: "ranking" }, { key: "champion" }];
    const { data } = await made.server.query(setTags, { input: { id: run, tags } });
    expect(data.setTags.annotated).toEqual({
      id: run,
      tags: [
        { key: "champion", value: "" },
        { key: "team/owner", value: "ranking" },
      ],
      noteVersion: 2,
    });
  });

  it("get a new value, and leave those with other keys alone", async () => {
    const tags = [{ key: "team/owner", value: "search" }];
    const { data } = await made.server.query(setTags, { input: { id: run, tags } });
    expect(data.setTags.annotated.tags).toEqual([
      { key: "champion", value: "" },
      { key: "team/owner", value: "search" },
    ]);
  });

  it("are taken away by key; a key that is not there is no fault", async () => {
    const { data } = await made.server.query(removeTags, { input: { id: run, keys: ["champion", "other"] } });
    expect(data.removeTags.annotated.tags).toEqual([{ key: "team/owner", value: "search" }]);
  });

  it("that stay the same count as no change", async () => {
    const before = await noteVersion(run);
    await made.server.query(setTags, { input: { id: run, tags: [{ key: "team/owner", value: "search" }] } });
    await made.server.query(removeTags, { input: { id: run, keys: ["other"] } });
    expect(await noteVersion(run)).toBe(before);
  });

  it("hang on datasets and models as well", async () => {
    const registered = await made.server.query(`mutation {
      registerModel(input: { key: "home_ranker" }) { model { id tags { key } noteVersion } }
    }`);
    const { id, ...annotations } = registered.data.registerModel.model;
    expect(annotations).toEqual({ tags: [], noteVersion: 1 });
    for (const thing of [dataset, id]) {
      const { data } = await made.server.query(setTags, { input: { id: thing, tags: [{ key: "a", value: "b" }] } });
      expect(data.setTags.annotated).toEqual({ id: thing, tags: [{ key: "a", value: "b" }], noteVersion: 2 });
    }
  });

  it("are what they have become in every answer of one operation", async () => {
    const { data } = await made.server.query(
      `mutation ($id: ID!) {
        first: setTags(input: { id: $id, tags: [{ key: "step", value: "1" }] }) { annotated { tags { key value } } }
        second: setTags(input: { id: $id, tags: [{ key: "step", value: "2" }] }) { annotated { tags { key value } } }
        third: removeTags(input: { id: $id, keys: ["step"] }) { annotated { tags { key } } }
      }`,
      { id: run },
    );
    expect(data.first.annotated.tags).toContainEqual({ key: "step", value: "1" });
    expect(data.second.annotated.tags).toContainEqual({ key: "step", value: "2" });
    expect(data.third.annotated.tags).toEqual([{ key: "team/owner" }]);
  });
});

describe("a note", () => {
  it("is written on a dataset, replaced, and taken away", async () => {
    const wrote = await made.server.query(setNote, { input: { id: dataset, note: "# Holidays\nare missing" } });
    expect(wrote.data.setNote.annotated).toMatchObject({ __typename: "Dataset", note: "# Holidays\nare missing" });
    const took = await made.server.query(setNote, { input: { id: dataset, note: "" } });
    expect(took.data.setNote.annotated.note).toBe("");
  });
});

describe("an expected version", () => {
  it("lets a change pass where nobody has changed tags or note meanwhile", async () => {
    const expectedVersion = await noteVersion(run);
    const { data } = await made.server.query(setNote, { input: { id: run, note: "good", expectedVersion } });
    expect(data.setNote.annotated).toEqual({ __typename: "Run", note: "good", noteVersion: expectedVersion + 1 });
  });

  it("refuses it otherwise, names both versions, and changes nothing", async () => {
    const now = await noteVersion(run);
    const input = { id: run, expectedVersion: now - 1 };
    const refused = await made.server.query(setTags, { input: { ...input, tags: [{ key: "late", value: "" }] } });
    expect(refused.data.setTags).toEqual({
      annotated: null,
      userErrors: [
        {
          code: "CONFLICT",
          field: "input.expectedVersion",
          message: `input.expectedVersion: expected tags and note of ${run} to be in version ${now - 1}, but they are in ${now}`,
          hint: "somebody has changed them since they were read: read them again, and decide anew",
        },
      ],
    });
    const others = [
      (await made.server.query(setNote, { input: { ...input, note: "late" } })).data.setNote,
      (await made.server.query(removeTags, { input: { ...input, keys: ["team/owner"] } })).data.removeTags,
    ];
    expect(others.map(({ userErrors }) => userErrors[0].code)).toEqual(["CONFLICT", "CONFLICT"]);
    expect(await noteVersion(run)).toBe(now);
  });
});

describe("a tag or note that cannot be", () => {
  const refusals: [string, object, { code: string; field: string }][] = [
    ["key with capitals", { tags: [{ key: "Owner" }] }, { code: "INVALID_INPUT", field: "input.tags[0].key" }],
    ["key of 64 letters", { tags: [{ key: "k".repeat(64) }] }, { code: "INVALID_INPUT", field: "input.tags[0].key" }],
    ["key twice", { tags: [{ key: "a" }, { key: "a" }] }, { code: "INVALID_INPUT", field: "input.tags[1].key" }],
    [
      "value of 256 letters",
      { tags: [{ key: "a", value: "v".repeat(256) }] },
      { code: "INVALID_INPUT", field: "input.tags[0].value" },
    ],
    ["list without tags", { tags: [] }, { code: "INVALID_INPUT", field: "input.tags" }],
    [
      "51st tag",
      { tags: Array.from({ length: 50 }, (_, i) => ({ key: `k${i}` })) },
      { code: "CONFLICT", field: "input.tags" },
    ],
    ["id of nothing", { id: "run_0", tags: [{ key: "a" }] }, { code: "NOT_FOUND", field: "input.id" }],
    ["id of another kind", { id: "constructor_1", tags: [{ key: "a" }] }, { code: "NOT_FOUND", field: "input.id" }],
  ];
  it.each(refusals)("is refused: a %s", async (_, input, error) => {
    const { data } = await made.server.query(setTags, { input: { id: run, ...input } });
    expect(data.setTags.annotated).toBeNull();
    expect(data.setTags.userErrors).toMatchObject([error]);
  });

  it("is refused: a note of 20,001 characters", async () => {
    const { data } = await made.server.query(setNote, { input: { id: run, note: "n".repeat(20_001) } });
    expect(data.setNote.userErrors).toMatchObject([{ code: "INVALID_INPUT", field: "input.note" }]);
  });
});
