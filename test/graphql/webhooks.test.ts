/** Webhooks over the whole server: set up, told of what happens, signed so that a receiver can check it. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { openStore } from "../../src/store/store.ts";
import type { Store } from "../../src/store/store.ts";
import { signatureBy, startReceiver } from "../server/receiver.ts";
import type { Received, Receiver } from "../server/receiver.ts";
import { eventually, startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";
import { claimed, newRun, readyDataset, succeededWith } from "../store/testStore.ts";

const settings = { AUTOIFS_WEBHOOK_PRIVATE: "1" };

let folder: string;
let server: TestServer;
/** As a worker has it open. */
let store: Store;
let dataset: string;
let receiver: Receiver;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "autoifs-webhooks-"));
  server = await startTestServer({ folder, settings });
  store = await openStore(loadConfig({ AUTOIFS_DATA: folder }));
  dataset = (await readyDataset(store)).id;
  receiver = await startReceiver();
});
afterAll(async () => {
  await store.close();
  await receiver.close();
  await server.close();
  await rm(folder, { recursive: true });
});

/** The data of a request that must not fail. */
async function ask(document: string, variables: Readonly<Record<string, unknown>> = {}) {
  const { data, errors } = await server.query(document, variables);
  if (errors) throw new Error(errors[0]!.message);
  return data;
}

const createWebhook = `mutation ($input: CreateWebhookInput!) {
  createWebhook(input: $input) { webhook { id url events active description } secret }
}`;
const testWebhook = `mutation ($webhook: ID!) {
  testWebhook(input: { webhook: $webhook }) { delivery { id type state attempts } }
}`;
const deliveries = `query ($id: ID!, $state: WebhookDeliveryState) {
  node(id: $id) { ... on Webhook {
    deliveries(state: $state) { totalCount nodes { id type subject state attempts lastStatus payload nextAttemptAt } }
  } }
}`;

/** Sets up one of its own at a path of the receiver's. */
async function created(path: string, events: readonly string[] = ["MODEL_ALIAS_MOVED"]) {
  const { webhook, secret } = (await ask(createWebhook, { input: { url: receiver.url + path, events } })).createWebhook;
  return { id: webhook.id as string, secret: secret as string };
}

/** Waits for so many requests at a path; the oldest first. */
function receivedAt(path: string, count = 1): Promise<Received[]> {
  return eventually(async () => {
    const received = receiver.received.filter((one) => one.path === path);
    return received.length >= count ? received : undefined;
  });
}

describe("a webhook", () => {
  it("is created with a secret, which is shown this once", async () => {
    const input = { url: `${receiver.url}/first`, events: ["RUN_SUCCEEDED", "RUN_FAILED"], description: "For chat." };
    const { webhook, secret } = (await ask(createWebhook, { input })).createWebhook;
    expect(webhook).toMatchObject({ ...input, active: true });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const { webhooks } = await ask(`{ webhooks { totalCount nodes { id description } } }`);
    expect(webhooks).toEqual({ totalCount: 1, nodes: [{ id: webhook.id, description: "For chat." }] });
  });

  it("is created once, however often the same request is sent, and the secret is in the first answer alone", async () => {
    const input = { url: `${receiver.url}/once`, events: ["RUN_FAILED"], idempotencyKey: "once" };
    const first = (await ask(createWebhook, { input })).createWebhook;
    const again = (await ask(createWebhook, { input })).createWebhook;
    expect(first.secret).not.toBeNull();
    expect(again).toEqual({ webhook: first.webhook, secret: null });
  });

  it("is told of what it asked for, with ids and states, and can check who sent it", async () => {
    const { secret } = await created("/told", ["MODEL_VERSION_CREATED", "MODEL_ALIAS_MOVED", "EXPERIMENT_FINISHED"]);
    const other = await created("/other", ["RUN_QUEUED"]);
    await ask(`mutation { registerModel(input: { key: "ranker" }) { model { id } } }`);
    const { id: run } = await store.runs.create(newRun(dataset));
    const { hash } = await store.artifacts.put(new Uint8Array([1]), "checkpoint");
    await store.runs.succeed(await claimed(store), succeededWith(hash));
    await ask(
      `mutation ($run: ID!) {
        createModelVersion(input: { model: "ranker", run: $run }) { created }
        setModelAlias(input: { model: "ranker", alias: "champion", version: 1 }) { alias { name } }
      }`,
      { run },
    );
    const { model } = await ask(`{ model(key: "ranker") { id latestVersion { id } } }`);
    const received = await receivedAt("/told", 2);
    const events = received.map(({ body }) => JSON.parse(body)).sort((a, b) => (a.type < b.type ? 1 : -1));
    expect(events).toMatchObject([
      { type: "model.version_created", data: { model: model.id, key: "ranker", version: 1, run } },
      { type: "model.alias_moved", data: { model: model.id, alias: "champion", version: 1, before: null } },
    ]);
    for (const one of received) {
      expect(one.headers["webhook-signature"]).toBe(signatureBy(secret, one));
      expect(one.headers["webhook-id"]).toBe(JSON.parse(one.body).id);
      expect(one.headers["content-type"]).toBe("application/json; charset=utf-8");
      expect(Math.abs(Date.now() / 1000 - Number(one.headers["webhook-timestamp"]))).toBeLessThan(60);
      await expectDocumentedCheck(secret, one);
    }
    const [queued] = await receivedAt("/other");
    expect(queued!.headers["webhook-signature"]).toBe(signatureBy(other.secret, queued!));
  });

  it("shows what was sent to it, and what became of it", async () => {
    const { id } = await created("/shown");
    const { delivery } = (await ask(testWebhook, { webhook: id })).testWebhook;
    expect(delivery).toEqual({ id: delivery.id, type: "ping", state: "PENDING", attempts: 0 });
    const [ping] = await receivedAt("/shown");
    const node = await eventually(async () => {
      const data = await ask(deliveries, { id, state: "DELIVERED" });
      return data.node.deliveries.totalCount > 0 ? data.node : undefined;
    });
    expect(node.deliveries).toEqual({
      totalCount: 1,
      nodes: [
        {
          id: delivery.id,
          type: "ping",
          subject: id,
          state: "DELIVERED",
          attempts: 1,
          lastStatus: 204,
          payload: ping!.body,
          nextAttemptAt: null,
        },
      ],
    });
    expect((await ask(deliveries, { id, state: "PENDING" })).node.deliveries.totalCount).toBe(0);
  });

  it("gets a delivery again on request, with the same id and body", async () => {
    const { id } = await created("/again");
    const { delivery } = (await ask(testWebhook, { webhook: id })).testWebhook;
    await receivedAt("/again");
    await ask(`mutation ($id: ID!) { redeliverWebhook(input: { delivery: $id }) { delivery { state } } }`, delivery);
    const [first, second] = await receivedAt("/again", 2);
    expect(second!.body).toBe(first!.body);
    expect(second!.headers["webhook-id"]).toBe(first!.headers["webhook-id"]);
  });

  it("with a new secret is sent two signatures, by the new one and by the old one", async () => {
    const { id, secret } = await created("/rotated");
    const { rotateWebhookSecret: rotated } = await ask(
      `mutation ($id: ID!) { rotateWebhookSecret(input: { webhook: $id }) { secret webhook { rotatedAt } } }`,
      { id },
    );
    expect(rotated.secret).not.toBe(secret);
    await ask(testWebhook, { webhook: id });
    const [ping] = await receivedAt("/rotated");
    const signatures = [signatureBy(rotated.secret, ping!), signatureBy(secret, ping!)];
    expect(ping!.headers["webhook-signature"]).toBe(signatures.join(" "));
    await expectDocumentedCheck(secret, ping!);
    await expectDocumentedCheck(rotated.secret, ping!);
  });

  it("is changed, switched off and taken away", async () => {
    const { id } = await created("/changed");
    const update = `mutation ($input: UpdateWebhookInput!) {
      updateWebhook(input: $input) { webhook { url events active } }
    }`;
    const changed = await ask(update, {
      input: { webhook: id, url: `${receiver.url}/moved`, events: ["RUN_QUEUED", "RUN_QUEUED"], active: false },
    });
    expect(changed.updateWebhook.webhook).toEqual({
      url: `${receiver.url}/moved`,
      events: ["RUN_QUEUED"],
      active: false,
    });
    await ask(update, { input: { webhook: id, active: true } });
    await ask(testWebhook, { webhook: id });
    await receivedAt("/moved");
    const gone = await ask(`mutation ($id: ID!) { deleteWebhook(input: { webhook: $id }) { deletedId } }`, { id });
    expect(gone.deleteWebhook.deletedId).toBe(id);
    expect(await ask(`query ($id: ID!) { node(id: $id) { id } }`, { id })).toEqual({ node: null });
  });
});

it("What happens while the server is down is told when it is up again", async () => {
  await created("/restarted", ["RUN_CANCELLED"]);
  const { id } = await store.runs.create(newRun(dataset));
  await server.close();
  await store.runs.cancel(id);
  server = await startTestServer({ folder, settings });
  const [cancelled] = await receivedAt("/restarted");
  expect(JSON.parse(cancelled!.body)).toMatchObject({
    type: "run.cancelled",
    data: { run: id, dataset, kind: "SEARCH", sequence: 2, state: "CANCELLED" },
  });
});

let check: Promise<{ verified(secret: string, headers: object, body: string): { readonly id: string } }> | undefined;

/** The code of docs/webhooks.md takes it, and does not take it where a byte is another. */
async function expectDocumentedCheck(secret: string, { headers, body }: Received): Promise<void> {
  check ??= documentedCheck();
  const { verified } = await check;
  expect(verified(secret, headers, body)).toEqual(JSON.parse(body));
  expect(() => verified(secret, headers, `${body} `)).toThrow("not signed");
  expect(() => verified(secret, { ...headers, "webhook-timestamp": "1" }, body)).toThrow("too old");
}

async function documentedCheck() {
  const page = await readFile(new URL("../../docs/webhooks.md", import.meta.url), "utf8");
  const file = join(folder, "verified.mjs");
  await writeFile(file, /```js\n([^`]*(?:`[^`]+`[^`]*)*?)```/.exec(page)![1]!);
  return import(/* @vite-ignore */ pathToFileURL(file).href) as NonNullable<typeof check>;
}
