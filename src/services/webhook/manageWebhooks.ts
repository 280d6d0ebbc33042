/** Sets up webhooks, changes them and takes them away; sends again, and sends for trial. */
import { isIP } from "node:net";
import { z } from "zod";
import { eventKinds } from "../../store/outbox.ts";
import type { Webhook, WebhookDelivery } from "../../store/webhooks.ts";
import type { Installation } from "../installation.ts";
import { parseInput, refusal, shown, withoutNulls } from "../parseInput.ts";
import { withField } from "../withField.ts";
import { hostOf } from "./postJson.ts";
import { isPublicAddress } from "./publicAddress.ts";
import { newSecret } from "./signature.ts";

type Parts = Pick<Installation, "store" | "webhooks">;

export interface WebhookWithSecret {
  readonly webhook: Webhook;
  /** To be shown to whoever asked, this once. */
  readonly secret: string;
}

const url = z.string().max(2000);
const events = z.array(z.enum(eventKinds)).min(1);
const description = z.string().max(2000);
const webhook = z.string();

const newWebhook = z.strictObject({ url, events, description: description.default("") });
const changedWebhook = z.strictObject({
  webhook,
  url: url.optional(),
  events: events.optional(),
  description: description.optional(),
  active: z.boolean().optional(),
});
const whichWebhook = z.strictObject({ webhook });
const whichDelivery = z.strictObject({ delivery: z.string() });

/** Throws InvalidInputError for an address that may not be sent to. */
export async function createWebhook({ store, webhooks }: Parts, input: unknown): Promise<WebhookWithSecret> {
  const given = parseInput(newWebhook, withoutNulls(input), "input");
  const secret = newSecret();
  const created = await store.webhooks.create({
    ...given,
    url: checkedUrl(given.url, webhooks.allowPrivate),
    events: [...new Set(given.events)],
    secret,
  });
  webhooks.wake();
  return { webhook: created, secret };
}

/** Throws NotFoundError, or InvalidInputError for an address that may not be sent to. */
export async function updateWebhook({ store, webhooks }: Parts, input: unknown): Promise<Webhook> {
  const { webhook: id, ...given } = parseInput(changedWebhook, withoutNulls(input), "input");
  const change = {
    ...given,
    ...(given.url === undefined ? {} : { url: checkedUrl(given.url, webhooks.allowPrivate) }),
    ...(given.events === undefined ? {} : { events: [...new Set(given.events)] }),
  };
  const updated = await withField({ id: "input.webhook" }, () => store.webhooks.update(id, change));
  webhooks.wake();
  return updated;
}

/** With all its deliveries; gives its id. Throws NotFoundError. */
export async function deleteWebhook({ store }: Parts, input: unknown): Promise<string> {
  const { webhook: id } = parseInput(whichWebhook, input, "input");
  await withField({ id: "input.webhook" }, () => store.webhooks.delete(id));
  return id;
}

/** Throws NotFoundError. */
export async function rotateWebhookSecret({ store }: Parts, input: unknown): Promise<WebhookWithSecret> {
  const { webhook: id } = parseInput(whichWebhook, input, "input");
  const secret = newSecret();
  const rotated = await withField({ id: "input.webhook" }, () => store.webhooks.rotateSecret(id, secret));
  return { webhook: rotated, secret };
}

/** Throws NotFoundError, or ConflictError where the webhook is switched off. */
export async function testWebhook({ store, webhooks }: Parts, input: unknown): Promise<WebhookDelivery> {
  const { webhook: id } = parseInput(whichWebhook, input, "input");
  const content = { webhook: id };
  const delivery = await withField({ id: "input.webhook" }, () => store.webhooks.addDelivery(id, "ping", content));
  webhooks.wake();
  return delivery;
}

/** Throws NotFoundError, or ConflictError where the webhook is switched off. */
export async function redeliverWebhook({ store, webhooks }: Parts, input: unknown): Promise<WebhookDelivery> {
  const { delivery: id } = parseInput(whichDelivery, input, "input");
  const delivery = await withField({ id: "input.delivery" }, () => store.webhooks.redeliver(id));
  webhooks.wake();
  return delivery;
}

/** The address as it will be used. What a name stands for is looked at whenever something is sent. */
function checkedUrl(text: string, allowPrivate: boolean): string {
  const refused = (expected: string, hint?: string) => refusal("input.url", expected, shown(text), hint);
  if (!URL.canParse(text)) throw refused("a URL");
  const address = new URL(text);
  const { protocol, username, password, hash, href } = address;
  const allowed = allowPrivate ? ["https:", "http:"] : ["https:"];
  if (!allowed.includes(protocol)) throw refused(allowPrivate ? "a URL with https or http" : "a URL with https");
  if (username || password) throw refused("a URL without a user name or password", "the signature tells who sends");
  if (hash) throw refused("a URL without a fragment");
  const host = hostOf(address);
  if (!allowPrivate && isIP(host) && !isPublicAddress(host)) {
    throw refused("a public address", "AUTOIFS_WEBHOOK_PRIVATE=1 allows others, to the whole installation");
  }
  return href;
}
