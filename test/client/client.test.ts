import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { ApiError, createClient, RunsDocument } from "../../src/client/index.ts";
import type { Client, RunEvent } from "../../src/client/index.ts";
import { startMadeServer, madeRun } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";
import { smallCsv, smallInput } from "../server/smallDataset.ts";

let made: MadeServer;
let client: Client;
let run: string;

beforeAll(async () => {
  made = await startMadeServer();
  client = createClient({ url: made.server.url });
  run = await madeRun(made.store, { dataset: await made.imported(), seed: 1, skill: 2 });
});

afterAll(() => made.close());

/** The error that a promise is rejected with. */
const errorOf = (promise: Promise<unknown>): Promise<ApiError> =>
  promise.then(
    () => Promise.reject(new Error("expected an ApiError, got an answer")),
    (error: unknown) => (error instanceof ApiError ? error : Promise.reject(error as Error)),
  );

describe("a client", () => {
  it("has a method for each operation, which answers the field that was asked for", async () => {
    const { scenario } = await client.registerScenario({ input: { key: "channel", name: "Channel page" } });
    expect(scenario.name).toBe("Channel page");
    expect(await client.scenario({ key: "channel" })).toEqual(scenario);
    expect(await client.scenario({ key: "nowhere" })).toBeNull();
    expectTypeOf(scenario.key).toEqualTypeOf<string>();
  });

  it("knows the variables of each, and the words that may stand in them", () => {
    expectTypeOf(client.run).parameter(0).toEqualTypeOf<{ id: string }>();
    // @ts-expect-error An id is needed.
    expectTypeOf(client.run).toBeCallableWith({});
    expectTypeOf(client.viewer).toBeCallableWith();
    // @ts-expect-error There is no such state.
    expectTypeOf(client.runs).toBeCallableWith({ filter: { state: "GONE" } });
  });

  it("sends any document that knows its types, and answers its data", async () => {
    const { runs } = await client.request(RunsDocument, { filter: { states: ["SUCCEEDED"] } });
    expect(runs.nodes).toMatchObject([{ id: run, state: "SUCCEEDED", backbone: { name: "shared-bottom" } }]);
    expectTypeOf(runs.nodes[0]!.seed).toEqualTypeOf<number>();
  });

  it("goes through a connection page by page", async () => {
    const keys: string[] = [];
    for await (const { key } of client.pages("scenarios", { first: 1 })) keys.push(key);
    expect(keys).toEqual(["home", "search", "channel"]);
  });

  it("uploads bytes, blobs and streams, and takes the file for a dataset", async () => {
    const csv = smallCsv();
    const contents = [new TextEncoder().encode(csv), new Blob([csv]), new Blob([csv]).stream()];
    for (const [i, content] of contents.entries()) {
      expect(await client.upload(`small${i}.csv`, content)).toEqual({
        file: `uploads/small${i}.csv`,
        bytes: csv.length,
      });
    }
    const input = { ...smallInput, file: "uploads/small2.csv" } as Parameters<Client["registerDataset"]>[0]["input"];
    const { dataset, created } = await client.registerDataset({ input });
    expect({ status: dataset.status, created }).toEqual({ status: "IMPORTING", created: true });
  });

  it("follows a run from any event to its end", async () => {
    const sequences: number[] = [];
    let last: RunEvent | undefined;
    for await (const event of client.follow(run)) {
      sequences.push(event.sequence);
      last = event;
    }
    expect(sequences).toEqual(sequences.map((_, i) => i + 1));
    expect(last?.state?.state).toBe("SUCCEEDED");
    for await (const event of client.follow(run, { after: sequences.length - 1 })) expect(event).toEqual(last);
  });

  it("carries a token", async () => {
    const { secret, token } = await client.createToken({ input: { name: "test", role: "ADMIN" } });
    const known = createClient({ url: `${made.server.url}/`, token: secret! });
    expect(await known.viewer()).toEqual({ tokenId: token.id, name: "test", role: "ADMIN" });
    expect(await errorOf(client.viewer())).toMatchObject({ code: "UNAUTHENTICATED", detail: { status: 401 } });
    client = known;
  });
});

describe("an error of a client", () => {
  it("tells what a mutation refuses, with the field and the request", async () => {
    const error = await errorOf(client.registerScenario({ input: { key: "home" } }));
    expect(error).toMatchObject({ code: "CONFLICT", field: "input.key" });
    expect(error.message).toContain("scenario home");
    expect(error.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("tells what a query refuses, and what is no GraphQL", async () => {
    expect(await errorOf(client.seesaw({ run: "run_0" }))).toMatchObject({ code: "NOT_FOUND" });
    const unknown = { toString: () => "{ nothing }" } as typeof RunsDocument;
    expect(await errorOf(client.request(unknown))).toMatchObject({ code: "GRAPHQL_VALIDATION_FAILED" });
    expect(await errorOf(client.upload("../x.csv", new Uint8Array(1)))).toMatchObject({
      code: "INVALID_INPUT",
      field: "name",
    });
  });

  it("tells that there is no such run to follow", async () => {
    expect(await errorOf(client.follow("run_0")[Symbol.asyncIterator]().next())).toMatchObject({ code: "NOT_FOUND" });
  });
});
