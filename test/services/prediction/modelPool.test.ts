import { describe, expect, it } from "vitest";
import { createTransform } from "../../../src/data/transform.ts";
import { PluginError } from "../../../src/errors.ts";
import { createModelHost } from "../../../src/services/prediction/modelHost.ts";
import { createModelPool } from "../../../src/services/prediction/modelPool.ts";
import type { ModelPool, PoolAnswer, PoolOptions } from "../../../src/services/prediction/modelPool.ts";
import type { OpenModel } from "../../../src/services/prediction/openModel.ts";
import type { ModelFiles, RawRequest } from "../../../src/services/prediction/poolMessages.ts";
import type { BeginThread, HungPlugin } from "../../../src/services/prediction/threadLine.ts";

const transform = createTransform({
  version: 1,
  fields: [{ column: "user", kind: "CATEGORICAL", values: ["u0", "u1", "u2", "u3"] }],
  scenario: { column: "tab", values: [{ value: "0", scenario: "home" }] },
  tasks: ["click"],
});

/** A model that holds 100 bytes and answers with the id of the user in hundredths, and what happens to it. */
function modelNamed(name: string, events: string[], mayGoOn: () => Promise<void>): OpenModel {
  return {
    facts: { scenarios: ["home"], tasks: ["click"], columns: ["user"] },
    transform,
    bytes: () => 100,
    async predict({ rows, ids }) {
      events.push(`run ${name} ${rows}`);
      await mayGoOn();
      return Float32Array.from(ids, (id) => id / 100);
    },
    explain: () => Promise.reject(new Error("nobody asks for it")),
    release() {
      events.push(`release ${name}`);
      return Promise.resolve();
    },
  };
}

interface Made {
  readonly pool: ModelPool;
  /** What the threads did, in order. */
  readonly events: string[];
  /** Asks for a row by user u1 and comes back when its run has begun, which goes on when `goOn` is called. */
  keepBusy(): Promise<{ readonly answer: Promise<PoolAnswer>; goOn(): void }>;
  /** Ends the thread that was begun last, as a crash would. */
  kill(): void;
  /** Ends it as one in which the plugin of the backbone `hangs` does not come to its end. */
  hang(): void;
  ask(model: string, users: readonly string[], onRowError?: RawRequest["onRowError"]): Promise<PoolAnswer>;
}

/** A pool whose threads are this one. A model named `broken` cannot be opened, and opening one named `hangs` does not end. */
function made(options: Partial<PoolOptions> = {}): Made {
  const events: string[] = [];
  let kill = (hung?: HungPlugin): void => void hung;
  let held = Promise.resolve();
  const begin: BeginThread = ({ report, ended }) => {
    events.push("begin");
    let isOver = false;
    const carryOut = createModelHost({
      open({ backbone }) {
        events.push(`open ${backbone}`);
        if (backbone === "hangs") return new Promise(() => undefined);
        if (backbone === "broken") return Promise.reject(new Error("broken: no checkpoint"));
        return Promise.resolve(modelNamed(backbone, events, () => held));
      },
      tell: (message) => setImmediate(() => isOver || report(structuredClone(message))),
    });
    kill = (hung) => {
      isOver = true;
      ended(hung?.error.message ?? "killed", hung);
    };
    return {
      post: (order) => setImmediate(() => isOver || void carryOut(structuredClone(order))),
      end: () => Promise.resolve(),
    };
  };
  const watch = {
    loaded: () => undefined,
    evicted: () => void events.push("evicted"),
    ran: (rows: number) => void events.push(`ran ${rows}`),
    died: (reason: string) => void events.push(`died ${reason}`),
  };
  const pool = createModelPool({ begin, threads: 1, memoryBytes: 1000, waitMs: 0, watch, ...options });
  const ask: Made["ask"] = (model, users, onRowError = "FAIL") =>
    pool.predict({
      key: model,
      files: () => Promise.resolve({ backbone: model } as ModelFiles),
      request: { rows: users.map((user) => ({ scenario: "home", values: { user } })), onRowError },
      explain: false,
    });
  return {
    pool,
    events,
    ask,
    kill: () => kill(),
    hang: () => kill({ backbone: "hangs", error: new PluginError("plugin hangs: build did not end within 1 s") }),
    async keepBusy() {
      let goOn = (): void => undefined;
      held = new Promise((resolve) => (goOn = resolve));
      const before = events.length;
      const answer = ask("a", ["u1"]);
      // Whoever looks at the answer hears of what is wrong with it.
      answer.catch(() => undefined);
      while (!events.slice(before).some((event) => event.startsWith("run"))) await turn();
      held = Promise.resolve();
      return { answer, goOn };
    },
  };
}

/** Of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const values = ({ probabilities }: PoolAnswer): number[] => [...probabilities].map((p) => Math.round(p * 100));

describe("the pool", () => {
  it("answers rows with a model, which it opens when it is first asked", async () => {
    const { ask, events } = made();
    const answer = await ask("a", ["u2", "u0", "nobody"]);
    expect(values(answer)).toEqual([2, 0, 4]);
    expect([...answer.ids]).toEqual([2, 0, 4]);
    expect(answer.unknown).toEqual([{ column: "user", rows: 1 }]);
    await ask("a", ["u1"]);
    expect(events).toEqual(["begin", "open a", "run a 3", "ran 3", "run a 1", "ran 1"]);
  });

  it("runs together what arrives while the thread is busy, and everybody gets what he would get alone", async () => {
    const { ask, events, keepBusy } = made();
    const { answer, goOn } = await keepBusy();
    const others = Array.from({ length: 20 }, (_, i) => ask("a", [`u${i % 4}`, "u3"]));
    await turn();
    goOn();
    expect(values(await answer)).toEqual([1]);
    expect((await Promise.all(others)).map(values)).toEqual(others.map((_, i) => [i % 4, 3]));
    expect(events.filter((event) => event.startsWith("run"))).toEqual(["run a 1", "run a 40"]);
  });

  it("puts no more rows into one run than it may have, and lets models take turns", async () => {
    const { ask, events } = made();
    await Promise.all([ask("a", ["u0"]), ask("b", ["u0"])]);
    events.length = 0;
    const many = Array.from({ length: 500 }, () => "u1");
    await Promise.all([ask("a", many), ask("a", many), ask("a", many), ask("b", ["u2"])]);
    expect(events.filter((event) => event.startsWith("run"))).toEqual(["run a 1000", "run b 1", "run a 500"]);
  });

  it("fails a request with a bad row, and none that is run with it", async () => {
    const { ask, events } = made();
    await ask("a", ["u0"]);
    const bad = ask("a", ["u1", { no: "text" } as unknown as string]);
    const good = ask("a", ["u3"]);
    await expect(bad).rejects.toMatchObject({ code: "INVALID_INPUT", detail: { field: "rows[1].values.user" } });
    expect(values(await good)).toEqual([3]);
    expect(events.at(-2)).toBe("run a 1");
  });

  it("passes over bad rows where it is asked to, and says which", async () => {
    const { ask } = made();
    const answer = await ask("a", ["u1", [] as unknown as string, "u3"], "SKIP");
    expect(values(answer)).toEqual([1, 3]);
    expect(answer.faults).toEqual([
      expect.objectContaining({ row: 1, message: expect.stringContaining("rows[1].values.user: expected a text") }),
    ]);
    expect((await ask("a", [[] as unknown as string], "SKIP")).rows).toBe(0);
  });

  it("waits for others as long as it is told to", async () => {
    const { ask, events } = made({ waitMs: 40 });
    await ask("a", ["u0"]);
    const first = ask("a", ["u1"]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all([first, ask("a", ["u2"])]);
    expect(events.at(-2)).toBe("run a 2");
  });

  it("puts a model into the thread that holds least", async () => {
    const { ask, events } = made({ threads: 2 });
    for (const model of ["a", "b", "a"]) await ask(model, ["u0"]);
    expect(events.filter((event) => event === "begin" || event.startsWith("open"))).toEqual([
      "begin",
      "open a",
      "begin",
      "open b",
    ]);
  });
});

describe("the memory of the pool", () => {
  it("has no room for the model that was asked longest ago", async () => {
    const { ask, events, pool } = made({ memoryBytes: 250 });
    for (const model of ["a", "b", "a", "c"]) await ask(model, ["u0"]);
    expect(events.filter((event) => !event.startsWith("r") || event.startsWith("rel")).slice(1)).toEqual([
      "open a",
      "open b",
      "open c",
      "evicted",
    ]);
    expect(pool.figures()).toEqual({ models: 2, bytes: 200, waitingRows: 0 });
    await ask("a", ["u0"]);
    expect(events).toContain("release b");
    expect(events.filter((event) => event === "open a")).toHaveLength(1);
  });

  it("keeps models that are in use, and the one asked last however large it is", async () => {
    const { ask, events, pool } = made({ memoryBytes: 10 });
    const answers = await Promise.all(["a", "b", "a", "b", "c"].map((model) => ask(model, ["u1"])));
    expect(answers.map(values)).toEqual([[1], [1], [1], [1], [1]]);
    expect(events.filter((event) => event.startsWith("open"))).toEqual(["open a", "open b", "open c"]);
    expect(pool.figures().models).toBe(1);
  });
});

describe("what goes wrong", () => {
  it("while a model is opened is told, and tried again by whoever asks next", async () => {
    const { ask, events } = made();
    await expect(ask("broken", ["u0"])).rejects.toThrow("broken: no checkpoint");
    await expect(ask("broken", ["u0"])).rejects.toThrow("broken: no checkpoint");
    expect(events).toEqual(["begin", "open broken", "open broken"]);
    expect(values(await ask("a", ["u1"]))).toEqual([1]);
  });

  it("with a thread fails what it was at; what waited is answered by the next", async () => {
    const { ask, events, kill, keepBusy } = made();
    const { answer } = await keepBusy();
    const waiting = ask("a", ["u2"]);
    await turn();
    kill();
    await expect(answer).rejects.toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("killed") });
    expect(values(await waiting)).toEqual([2]);
    expect(events.filter((event) => /begin|died|open/.test(event))).toEqual([
      "begin",
      "open a",
      "died killed",
      "begin",
      "open a",
    ]);
  });

  it("is that too much waits", async () => {
    const { ask, keepBusy } = made();
    await keepBusy();
    const rows = Array.from({ length: 60_000 }, () => "u0");
    // They wait for ever.
    void ask("a", rows);
    void ask("a", rows);
    await turn();
    await expect(ask("a", ["u0"])).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("is that the pool is closed, which waits for what was begun", async () => {
    const { ask, pool, keepBusy } = made();
    const { answer, goOn } = await keepBusy();
    const closed = pool.close();
    goOn();
    await closed;
    expect(values(await answer)).toEqual([1]);
    await expect(ask("a", ["u0"])).rejects.toThrow("the server is being closed");
  });
});

describe("a plugin that hangs", () => {
  it("costs only those that asked for it: what else was in hand is begun again in a new thread", async () => {
    const { ask, hang, events } = made();
    await ask("a", ["u1"]);
    const guilty = ask("hangs", ["u1"]);
    const loading = ask("b", ["u3"]);
    await turn();
    await turn();
    await turn();
    const loaded = ask("a", ["u2"]);
    hang();
    await expect(guilty).rejects.toThrow("plugin hangs: build did not end within 1 s");
    expect([values(await loading), values(await loaded)]).toEqual([[3], [2]]);
    expect(events.filter((event) => event === "begin")).toHaveLength(2);
  });

  it("is not asked again for the same model", async () => {
    const { ask, hang, events } = made();
    const first = ask("hangs", ["u1"]);
    await turn();
    await turn();
    hang();
    await expect(first).rejects.toThrow("plugin hangs");
    await expect(ask("hangs", ["u1"])).rejects.toThrow("plugin hangs: build did not end within 1 s");
    expect(events.filter((event) => event === "open hangs")).toHaveLength(1);
  });
});
