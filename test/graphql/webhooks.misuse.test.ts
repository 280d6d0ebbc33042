import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const create = `mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { id } } }`;
const update = `mutation ($input: UpdateWebhookInput!) { updateWebhook(input: $input) { webhook { id } } }`;
const test = `mutation ($id: ID!) { testWebhook(input: { webhook: $id }) { delivery { id } } }`;
const fine = { url: "https://hooks.example.org/autoifs", events: ["RUN_SUCCEEDED"] };

async function created(changes: object = {}): Promise<string> {
  const { data, errors } = await server.query(create, { input: { ...fine, ...changes } });
  if (errors) throw new Error(errors[0]!.message);
  return data.createWebhook.webhook.id;
}

describe("a webhook is refused, and none is there, where", () => {
  it.each([
    ["hooks.example.org", "a URL"],
    ["http://hooks.example.org/", "a URL with https"],
    ["file:///etc/passwd", "a URL with https"],
    ["https://user:word@hooks.example.org/", "a URL without a user name or password"],
    ["https://hooks.example.org/#part", "a URL without a fragment"],
    ["https://127.0.0.1/", "a public address"],
    ["https://0x7f.1/", "a public address"],
    ["https://2130706433/", "a public address"],
    ["https://10.1.2.3:8443/", "a public address"],
    ["https://169.254.169.254/latest/meta-data/", "a public address"],
    ["https://[::1]/", "a public address"],
    ["https://[::ffff:10.0.0.1]/", "a public address"],
    ["https://[fd00:ec2::254]/", "a public address"],
    [`https://hooks.example.org/${"x".repeat(2000)}`, "a number of characters at most 2000"],
  ])("its address is %s", async (url, expected) => {
    expect(await server.refused(create, { input: { ...fine, url } })).toMatchObject({
      code: "INVALID_INPUT",
      field: "input.url",
      expected,
    });
    expect(await server.query(`{ webhooks { totalCount } }`)).toEqual({ data: { webhooks: { totalCount: 0 } } });
  });

  it("it wants no events", async () => {
    expect(await server.refused(create, { input: { ...fine, events: [] } })).toMatchObject({
      code: "INVALID_INPUT",
      field: "input.events",
    });
  });
});

describe("a webhook that is there", () => {
  it("cannot be moved to an address that is not public", async () => {
    const webhook = await created();
    const refusal = await server.refused(update, { input: { webhook, url: "https://[fe80::1]/" } });
    expect(refusal).toMatchObject({ field: "input.url", expected: "a public address" });
    const { data } = await server.query(`query ($webhook: ID!) { node(id: $webhook) { ... on Webhook { url } } }`, {
      webhook,
    });
    expect(data.node.url).toBe(fine.url);
  });

  it("is not connected to where its name stands for this machine", async () => {
    const { port } = new URL(server.url);
    const id = await created({ url: `https://localhost:${port}/` });
    const { delivery } = (await server.query(test, { id })).data.testWebhook;
    const node = await eventually(async () => {
      const read = `query ($id: ID!) { node(id: $id) { ... on WebhookDelivery { state attempts lastStatus lastError } } }`;
      const { data } = await server.query(read, delivery);
      return data.node.lastError === null ? undefined : data.node;
    });
    expect(node).toEqual({
      state: "PENDING",
      attempts: 1,
      lastStatus: null,
      lastError: expect.stringMatching(/^localhost: expected a public address, got (127\.0\.0\.1|::1)$/) as string,
    });
  });

  it("is not tried while it is switched off", async () => {
    const webhook = await created();
    await server.query(update, { input: { webhook, active: false } });
    expect(await server.refused(test, { id: webhook })).toMatchObject({
      message: `webhook ${webhook}: expected one that is active, but it is switched off`,
      code: "CONFLICT",
      field: "input.webhook",
      hint: "switch it on with updateWebhook first",
    });
  });
});

it.each([
  ["updateWebhook", "webhook"],
  ["deleteWebhook", "webhook"],
  ["rotateWebhookSecret", "webhook"],
  ["testWebhook", "webhook"],
  ["redeliverWebhook", "delivery"],
])("%s refuses an id that is none", async (mutation, member) => {
  const refusal = await server.refused(`mutation { ${mutation}(input: { ${member}: "other" }) { __typename } }`);
  expect(refusal).toMatchObject({ code: "NOT_FOUND", field: `input.${member}` });
});
