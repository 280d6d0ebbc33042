import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createRandom } from "../../src/random.ts";
import { eventOf, followOverEventStream, followOverWebSocket, polled, runProgress } from "./following.ts";
import type { Follow, FollowedEvent } from "./following.ts";
import { imported, prepareSmall } from "./smallDataset.ts";
import { backbone, hyperParameters, trained, trainModel } from "./smallModels.ts";
import { startTestServer } from "./testServer.ts";
import type { TestServer } from "./testServer.ts";

const transports = { "a WebSocket": followOverWebSocket, "server-sent events": followOverEventStream };
const { search: _, ...numbers } = hyperParameters;

let server: TestServer;
let dataset: string;
let finished: string;

const towers = (maxEpochs: number): object => ({
  dataset,
  backbone,
  head: { kind: "TOWERS" },
  hyperParameters: { ...numbers, maxEpochs, patience: 1000 },
});

beforeAll(async () => {
  server = await startTestServer({ works: true });
  await prepareSmall(server);
  dataset = await imported(server);
  finished = await trained(server, trainModel, towers(2));
});
afterAll(() => server.close());

/** Everything until the server completes it. */
async function followed(follow: Follow, id: string, after = 0): Promise<FollowedEvent[]> {
  const events: FollowedEvent[] = [];
  for await (const answer of follow(server.url, { id, after }).answers) events.push(eventOf(answer));
  return events;
}

/** The same by asking, `first` at a time, until the run has ended. */
async function asked(id: string, first: number): Promise<FollowedEvent[]> {
  const events: FollowedEvent[] = [];
  for (;;) {
    const { data } = await server.query(polled, { id, after: events.at(-1)?.sequence ?? 0, first });
    events.push(...data.run.events.events);
    if (data.run.events.ended) return events;
  }
}

const sequence = (length: number): number[] => Array.from({ length }, (_, i) => i + 1);

describe.each(Object.entries(transports))("runProgress over %s", (_, follow) => {
  it("tells of a run that has ended what happened to it, and completes", async () => {
    const events = await followed(follow, finished);
    const { kind, state, progress, epoch, checkpoint, at } = events.find((event) => event.kind === "EPOCH") as never;
    expect({ kind, state, progress, epoch, checkpoint, at }).toEqual({
      kind: "EPOCH",
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      epoch: { phase: "TRAIN", epoch: 1, epochs: 2, meanAuc: expect.any(Number), score: expect.any(Number) },
      state: null,
      progress: null,
      checkpoint: null,
    });
    expect(events.filter((event) => event.state).map((event) => event.state)).toEqual([
      { state: "QUEUED", attempt: 1, stopReason: null, error: null },
      { state: "RUNNING", attempt: 1, stopReason: null, error: null },
      { state: "SUCCEEDED", attempt: null, stopReason: "COMPLETED", error: null },
    ]);
    expect(events.find((event) => event.kind === "PROGRESS")).toMatchObject({
      progress: { phase: "TRAIN", epoch: 1, epochs: 2, steps: 4, secondsLeft: expect.any(Number) },
    });
    expect(events.find((event) => event.kind === "CHECKPOINT")).toMatchObject({
      checkpoint: { epochsDone: 1, stepsDone: 0 },
    });
    expect(events.map((event) => event.sequence)).toEqual(sequence(events.length));
  });

  it("begins after the event that is known already", async () => {
    const events = await followed(follow, finished);
    expect(await followed(follow, finished, 3)).toEqual(events.slice(3));
    expect(await followed(follow, finished, events.length)).toEqual([]);
  });

  it("answers a query too", async () => {
    const answers = [];
    const query = "query ($id: ID!) { run(id: $id) { state stopReason } }";
    for await (const answer of follow(server.url, { id: finished }, query).answers) answers.push(answer);
    expect(answers).toEqual([{ data: { run: { state: "SUCCEEDED", stopReason: "COMPLETED" } } }]);
  });
});

describe("Run.events", () => {
  it("has the same events for those who ask", async () => {
    const events = await followed(followOverWebSocket, finished);
    expect(await asked(finished, 1000)).toEqual(events);
    expect(await asked(finished, 2)).toEqual(events);
    const { data } = await server.query(polled, { id: finished, after: 1, first: 1 });
    expect(data.run.events).toEqual({ events: [events[1]], lastSequence: events.length, ended: false });
  });
});

describe("a training whose followers are cut off 50 times", () => {
  it("is told to each of them completely: every event once, in order, the same as to one who asks", async () => {
    const { data } = await server.query(trainModel, { input: towers(1000) });
    const { id } = data.trainModel.run;

    const followers = [
      { follow: followOverWebSocket, random: createRandom(1, "cuts"), events: [] as FollowedEvent[] },
      { follow: followOverEventStream, random: createRandom(2, "cuts"), events: [] as FollowedEvent[] },
    ];
    /** Follows from where it is until the connection is cut, within 20 ms after the event number `most`. */
    const receive = async (follower: (typeof followers)[number], most = Infinity): Promise<"CUT" | "COMPLETE"> => {
      const { follow, random, events } = follower;
      const { answers, cut } = follow(server.url, { id, after: events.at(-1)?.sequence ?? 0 });
      let left = most;
      const cutSoon = () => setTimeout(cut, random.uniform() * 20);
      if (left === 0) cutSoon();
      try {
        for await (const answer of answers) {
          events.push(eventOf(answer));
          if (--left === 0) cutSoon();
        }
        return "COMPLETE";
      } catch {
        return "CUT";
      }
    };
    const cutOff = async (follower: (typeof followers)[number]): Promise<void> => {
      for (let i = 0; i < 50; i++) {
        expect(await receive(follower, Math.floor(follower.random.uniform() * 2))).toBe("CUT");
      }
    };
    await Promise.all(followers.map(cutOff));
    const rest = Promise.all(followers.map((follower) => receive(follower)));
    await server.query(`mutation ($id: ID!) { cancelRun(input: { run: $id }) { run { id } } }`, { id });
    expect(await rest).toEqual(["COMPLETE", "COMPLETE"]);

    const truth = await asked(id, 1000);
    expect(truth.map((event) => event.sequence)).toEqual(sequence(truth.length));
    expect(truth.length).toBeGreaterThan(20);
    expect(truth.at(-1)!.state).toMatchObject({ state: "CANCELLED" });
    for (const { events } of followers) expect(events).toEqual(truth);
  });
});

describe("a server that closes while a run is followed", () => {
  it("ends a WebSocket with code 1001 and a stream without `complete`, and does not wait for the run", async () => {
    const { id } = (await server.query(trainModel, { input: towers(1000) })).data.trainModel.run;
    await server.query(`mutation ($id: ID!) { pauseRun(input: { run: $id }) { run { state } } }`, { id });
    const operation = { query: runProgress, variables: { id } };

    const socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    await once(socket, "open");
    socket.send(JSON.stringify({ type: "connection_init" }));
    await once(socket, "message");
    socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: operation }));
    const closed = once(socket, "close");
    const response = await fetch(`${server.url}/graphql/stream`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify(operation),
    });
    const text = response.text();

    const begun = Date.now();
    await server.close();
    expect(Date.now() - begun).toBeLessThan(9000); // then open connections are cut
    expect((await closed)[0]).toBe(1001);
    expect(await text).toContain('"state":"QUEUED"');
    expect(await text).not.toContain("event: complete");
  });
});
