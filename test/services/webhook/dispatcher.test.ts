/** What is sent, when it is sent again, and what a kill leaves behind; the clock is the test's. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mostAttempts, waitAfter } from "../../../src/services/webhook/backOff.ts";
import { createDispatcher } from "../../../src/services/webhook/dispatcher.ts";
import { newSecret } from "../../../src/services/webhook/signature.ts";
import type { Store } from "../../../src/store/store.ts";
import type { WebhookDelivery } from "../../../src/store/webhooks.ts";
import type { Receiver } from "../../server/receiver.ts";
import { startReceiver } from "../../server/receiver.ts";
import {
  claimed,
  newDataset,
  newRun,
  openTestStore,
  readyDataset,
  runningRun,
  temporaryFolder,
} from "../../store/testStore.ts";

let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.close());

const second = 1000;
const hour = 3600 * second;

/** A dispatcher whose clock only goes on when it is told to. */
function dispatching(store: Store) {
  // A little ahead, so that what the test makes is due at once.
  let time = Date.now() + 10 * second;
  const log: string[] = [];
  const write = (line: string): void => void log.push(line);
  const now = () => new Date(time);
  const dispatcher = createDispatcher({ store, allowPrivate: true, log: { warn: write, error: write }, now });
  return { ...dispatcher, log, now, pass: (ms: number) => void (time += ms) };
}

function webhookFor(store: Store, url = receiver.url) {
  const events = ["run.queued", "run.running", "run.failed", "dataset.failed"] as const;
  return store.webhooks.create({ url, secret: newSecret(), events, description: "" });
}

async function deliveriesOf(store: Store, webhookId: string): Promise<WebhookDelivery[]> {
  return store.webhooks.deliveryPagesByWebhookIds([webhookId], { first: 100 });
}

describe("an event", () => {
  it("is sent to the webhooks that want its kind, and to no other", async () => {
    const store = await openTestStore();
    await webhookFor(store);
    const { run } = await runningRun(store);
    await store.runs.cancel(run.id);
    await dispatching(store).sendDue();
    const types = receiver.received.map(({ body }) => JSON.parse(body).type as string);
    expect(types.sort()).toEqual(["run.queued", "run.running"]);
    expect(await store.outbox.size()).toBe(0);
  });

  it("says what happened, and why it failed", async () => {
    const store = await openTestStore();
    await webhookFor(store);
    const { run, lease } = await runningRun(store);
    await store.jobs.fail(lease, { code: "DIVERGED", message: "run: not finite", detail: { hint: "less" } });
    await dispatching(store).sendDue();
    expect(receiver.events("run.failed")[0]!.data).toEqual({
      run: run.id,
      kind: "SEARCH",
      dataset: run.datasetId,
      sequence: 3,
      state: "FAILED",
      error: { code: "DIVERGED", message: "run: not finite" },
    });
  });

  it("is told of datasets and experiments as well", async () => {
    const store = await openTestStore();
    const events = ["dataset.ready", "dataset.failed", "experiment.finished"] as const;
    await store.webhooks.create({ url: receiver.url, secret: newSecret(), events, description: "" });
    const ready = await readyDataset(store);
    const { dataset: failed } = await store.datasets.create({ ...newDataset, name: "broken" });
    await store.jobs.fail(await claimed(store), { code: "INVALID_INPUT", message: "line 2: no", detail: {} });
    const trials = [{ configuration: {}, datasetId: ready.id, seed: 1 }];
    const finished = await store.experiments.create({ name: "grid", spec: {}, trials });
    await store.experiments.advance(await claimed(store), { moves: [], stopWaiting: true }, 0);
    const cancelled = await store.experiments.create({ name: "other", spec: {}, trials });
    await store.experiments.cancel(cancelled.id);
    await dispatching(store).sendDue();
    expect(receiver.events("dataset.ready").map(({ data }) => data)).toEqual([
      { dataset: ready.id, name: "clicks", version: 1, rows: 100, status: "READY" },
    ]);
    expect(receiver.events("dataset.failed").map(({ data }) => data)).toEqual([
      {
        dataset: failed.id,
        name: "broken",
        status: "FAILED",
        error: { code: "INVALID_INPUT", message: "line 2: no" },
      },
    ]);
    const ended = receiver.events("experiment.finished").map(({ data }) => data);
    expect(ended.sort((a, b) => String(a["name"]).localeCompare(String(b["name"])))).toEqual([
      { experiment: finished.id, name: "grid", state: "FINISHED" },
      { experiment: cancelled.id, name: "other", state: "CANCELLED" },
    ]);
  });

  it("leaves nothing in the outbox where nobody listens", async () => {
    const store = await openTestStore();
    const webhook = await webhookFor(store);
    await store.webhooks.update(webhook.id, { active: false });
    await runningRun(store);
    expect(await store.outbox.size()).toBe(0);
  });

  it("is not told of where the change it belongs to was refused", async () => {
    const store = await openTestStore();
    await webhookFor(store);
    await readyDataset(store);
    await expect(store.runs.create(newRun("ds_0"))).rejects.toThrow();
    expect(await store.outbox.size()).toBe(0);
  });
});

describe("an attempt that fails", () => {
  it("is made again later and later, with the same id and body, until the receiver takes it", async () => {
    const store = await openTestStore();
    const { id } = await webhookFor(store);
    const ping = await store.webhooks.addDelivery(id, "ping", {});
    const { sendDue, pass, now } = dispatching(store);
    receiver.answer(500);
    await sendDue();
    const [failed] = await deliveriesOf(store, id);
    expect(failed).toMatchObject({
      state: "PENDING",
      attempts: 1,
      lastStatus: 500,
      lastError: "expected an answer with status 2xx, got 500",
    });
    const wait = failed!.nextAttemptAt.getTime() - now().getTime();
    expect(wait).toBeGreaterThanOrEqual(8 * second);
    expect(wait).toBeLessThanOrEqual(12 * second);

    await sendDue();
    pass(7 * second);
    await sendDue();
    expect(receiver.received).toHaveLength(1);

    receiver.answer(200);
    pass(5 * second);
    await sendDue();
    const [delivered] = await deliveriesOf(store, id);
    expect(delivered).toMatchObject({ state: "DELIVERED", attempts: 2, lastStatus: 200, lastError: null });
    expect(delivered!.deliveredAt).toEqual(now());
    const [first, again] = receiver.received;
    expect(again!.body).toBe(first!.body);
    expect(again!.headers["webhook-id"]).toBe(ping.id);
    expect(Number(again!.headers["webhook-timestamp"])).toBeGreaterThan(Number(first!.headers["webhook-timestamp"]));
  });

  it("is the last one after about a day", async () => {
    const store = await openTestStore();
    const { id } = await webhookFor(store);
    await store.webhooks.addDelivery(id, "ping", {});
    const { sendDue, pass, now, log } = dispatching(store);
    receiver.answer(503);
    const begun = now().getTime();
    for (;;) {
      await sendDue();
      const [delivery] = await deliveriesOf(store, id);
      if (delivery!.state !== "PENDING") break;
      pass(delivery!.nextAttemptAt.getTime() - now().getTime());
    }
    const [delivery] = await deliveriesOf(store, id);
    expect(delivery).toMatchObject({ state: "GIVEN_UP", attempts: 10, lastStatus: 503 });
    expect(receiver.received).toHaveLength(10);
    const took = (now().getTime() - begun) / hour;
    expect(took).toBeGreaterThan(20);
    expect(took).toBeLessThan(34);
    expect(log).toEqual([`webhook ${id}: ${delivery!.id} is given up: expected an answer with status 2xx, got 503`]);
  });

  it("waits three times as long every time, a fifth more or less", () => {
    const seconds = Array.from({ length: mostAttempts - 1 }, (_, i) => waitAfter(i + 1, 0.5) / second);
    expect(seconds).toEqual([10, 30, 90, 270, 810, 2430, 7290, 21870, 65610]);
    expect([waitAfter(1, 0), waitAfter(1, 1)]).toEqual([8 * second, 12 * second]);
  });

  it("is one that is redirected, or that nobody answers", async () => {
    const store = await openTestStore();
    const away = await webhookFor(store);
    const nobody = await webhookFor(store, "http://127.0.0.1:1/");
    await store.webhooks.addDelivery(away.id, "ping", {});
    await store.webhooks.addDelivery(nobody.id, "ping", {});
    receiver.answer(302, { location: `${receiver.url}/elsewhere` });
    await dispatching(store).sendDue();
    expect(receiver.received.map(({ path }) => path)).toEqual(["/"]);
    expect(await deliveriesOf(store, away.id)).toMatchObject([{ state: "PENDING", lastStatus: 302 }]);
    const [unanswered] = await deliveriesOf(store, nobody.id);
    expect(unanswered).toMatchObject({ state: "PENDING", lastStatus: null });
    expect(unanswered!.lastError).toContain("ECONNREFUSED");
  });
});

it("An attempt that is broken off with the server does not count, and is made at the next start", async () => {
  const store = await openTestStore();
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { id } = await webhookFor(store, `http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
  await store.webhooks.addDelivery(id, "ping", {});
  const { run, now } = dispatching(store);
  const ending = new AbortController();
  const asked = once(silent, "request");
  const running = run(ending.signal);
  await asked;
  ending.abort();
  await running;
  silent.close();
  const lastError = "broken off: the server was ended";
  expect(await deliveriesOf(store, id)).toMatchObject([{ state: "PENDING", attempts: 0, lastError }]);
  expect(await store.webhooks.claimDue(now(), 30 * second, [])).toMatchObject({ attempts: 1 });
});

describe("after a kill", () => {
  it("what was in the outbox, and what was about to be sent, is sent by the next process", async () => {
    const folder = await temporaryFolder();
    const before = await openTestStore(folder);
    const { id } = await webhookFor(before);
    const clock = dispatching(before);
    const ping = await before.webhooks.addDelivery(id, "ping", {});
    // Claimed, and its process is gone.
    expect(await before.webhooks.claimDue(clock.now(), 30 * second, [])).toMatchObject({ id: ping.id, attempts: 1 });
    await runningRun(before);

    const after = await openTestStore(folder);
    const { sendDue, pass } = dispatching(after);
    await sendDue();
    expect(receiver.received.map(({ body }) => JSON.parse(body).type as string).sort()).toEqual([
      "run.queued",
      "run.running",
    ]);
    pass(31 * second);
    await sendDue();
    expect(receiver.events("ping")).toMatchObject([{ id: ping.id }]);
    expect((await deliveriesOf(after, id)).map(({ state }) => state)).toEqual(Array(3).fill("DELIVERED"));
  });
});
