import { describe, expect, it } from "vitest";
import { createFollowRun } from "../../../src/services/run/followRun.ts";
import type { Run, RunEvent, RunState } from "../../../src/store/rows.ts";
import { eventually } from "../../server/testServer.ts";

const pollMs = 5;

/** The part of a store that is asked, over events in memory; counts what it is asked for. */
function memoryStore() {
  const written = new Map<string, RunEvent[]>();
  const asked = { pages: 0, looks: 0, fault: undefined as Error | undefined };
  const eventsOf = (id: string): RunEvent[] => written.get(id) ?? [];
  const write = (runId: string, kind: RunEvent["kind"], content: object): void => {
    const events = eventsOf(runId);
    const sequence = events.length + 1;
    written.set(runId, [...events, { runId, sequence, kind, content, createdAt: new Date() }]);
  };
  return {
    asked,
    move: (id: string, state: RunState): void => write(id, "STATE", { state }),
    report: (id: string, step: number): void => write(id, "PROGRESS", { step }),
    runs: {
      async get(id: string): Promise<Run> {
        const states = eventsOf(id).filter(({ kind }) => kind === "STATE");
        return { id, lastEvent: eventsOf(id).length, ...(states.at(-1)!.content as object) } as Run;
      },
    },
    events: {
      async list(id: string, { after, first }: { after: number; first: number }) {
        asked.pages++;
        return eventsOf(id).slice(after, after + first);
      },
      async lastByRunIds(ids: readonly string[]) {
        asked.looks++;
        if (asked.fault) throw asked.fault;
        return ids.map((runId) => ({ runId, sequence: eventsOf(runId).length }));
      },
    },
  };
}

type MemoryStore = ReturnType<typeof memoryStore>;

const following = (store: MemoryStore) => createFollowRun(store as never, { pollMs });

async function sequences(stream: AsyncIterable<RunEvent>): Promise<number[]> {
  const seen: number[] = [];
  for await (const { sequence } of stream) seen.push(sequence);
  return seen;
}

const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe("followRun", () => {
  it("gives what is stored, then what comes, and ends with the run", async () => {
    const store = memoryStore();
    store.move("run", "QUEUED");
    const stream = await following(store)("run", 0);
    expect(await stream.next()).toMatchObject({ value: { sequence: 1, content: { state: "QUEUED" } } });
    const waiting = stream.next();
    store.move("run", "SUCCEEDED");
    expect(await waiting).toMatchObject({ value: { sequence: 2, content: { state: "SUCCEEDED" } } });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it("waits while the run is PAUSED", async () => {
    const store = memoryStore();
    store.move("run", "PAUSED");
    const seen = sequences(await following(store)("run", 1));
    const looks = store.asked.looks;
    await eventually(async () => store.asked.looks > looks + 3 || undefined);
    store.move("run", "CANCELLED");
    expect(await seen).toEqual([2]);
  });

  it("reads what is new once for all who follow the run, and looks once for all runs", async () => {
    const store = memoryStore();
    store.move("a", "RUNNING");
    store.move("b", "RUNNING");
    const follow = following(store);
    const all = Promise.all(["a", "a", "a", "b"].map(async (id) => sequences(await follow(id, 1))));
    const looks = store.asked.looks;
    await eventually(async () => store.asked.looks > looks + 1 || undefined);
    expect(store.asked.pages).toBe(0);
    for (const id of ["a", "b"]) {
      for (let step = 0; step < 10; step++) store.report(id, step);
      store.move(id, "SUCCEEDED");
    }
    expect(await all).toEqual([upTo(12, 2), upTo(12, 2), upTo(12, 2), upTo(12, 2)]);
    expect(store.asked.pages).toBe(2);
  });

  it("gives everything to one who takes its time, long after others are through", async () => {
    const store = memoryStore();
    store.move("run", "RUNNING");
    const follow = following(store);
    const slow = await follow("run", 0);
    expect(await slow.next()).toMatchObject({ value: { sequence: 1 } });
    const quick = sequences(await follow("run", 0));
    for (let step = 0; step < 2000; step++) store.report("run", step);
    store.move("run", "FAILED");
    expect(await quick).toEqual(upTo(2002));
    expect(await sequences(slow)).toEqual(upTo(2002, 2));
  });

  it("looks no more when nobody follows, and can be left while it waits", async () => {
    const store = memoryStore();
    store.move("run", "RUNNING");
    const stream = await following(store)("run", 1);
    const waiting = stream.next();
    await eventually(async () => store.asked.looks > 2 || undefined);
    await stream.return!();
    expect(await waiting).toEqual({ done: true, value: undefined });
    const { looks } = store.asked;
    await new Promise((resolve) => setTimeout(resolve, pollMs * 5));
    expect(store.asked.looks).toBe(looks);
  });

  it("tells all who wait that the database fails, and serves those who come again", async () => {
    const store = memoryStore();
    store.move("run", "RUNNING");
    const follow = following(store);
    const waiting = [await follow("run", 1), await follow("run", 1)].map((stream) => stream.next());
    store.asked.fault = new Error("the disk is gone");
    for (const { status } of await Promise.allSettled(waiting)) expect(status).toBe("rejected");
    store.asked.fault = undefined;
    const again = sequences(await follow("run", 1));
    store.move("run", "SUCCEEDED");
    expect(await again).toEqual([2]);
  });

  it("refuses an event that has not happened", async () => {
    const store = memoryStore();
    store.move("run", "RUNNING");
    for (const after of [-1, 2]) {
      await expect(following(store)("run", after)).rejects.toThrow(
        `after: expected 0 to 1, the sequence number of the newest event of run, got ${after}`,
      );
    }
  });
});
