/** Webhooks, and what was sent to them. */
import type { Resolvers } from "./generated.ts";
import { connection } from "./pagination.ts";
import { required } from "./required.ts";

export const Query: Resolvers["Query"] = {
  webhooks: (_, page, { loaders }) => connection(page, loaders.lists.webhooks()),
};

export const Mutation: Resolvers["Mutation"] = {
  createWebhook: (_, { input }, { services }) => services.createWebhook(input),
  updateWebhook: async (_, { input }, { services }) => ({ webhook: await services.updateWebhook(input) }),
  deleteWebhook: async (_, { input }, { services }) => ({ deletedId: await services.deleteWebhook(input) }),
  rotateWebhookSecret: (_, { input }, { services }) => services.rotateWebhookSecret(input),
  testWebhook: async (_, { input }, { services }) => ({ delivery: await services.testWebhook(input) }),
  redeliverWebhook: async (_, { input }, { services }) => ({ delivery: await services.redeliverWebhook(input) }),
};

export const Webhook: Resolvers["Webhook"] = {
  events: ({ events }) => [...events],
  deliveries: ({ id }, { state, ...page }, { loaders }) => connection(page, loaders.lists.webhookDeliveries(id, state)),
};

export const WebhookDelivery: Resolvers["WebhookDelivery"] = {
  webhook: ({ webhookId }, _, { loaders }) => required(loaders.webhook.load(webhookId)),
  type: ({ kind }) => kind,
  subject: ({ subjectId }) => subjectId,
  nextAttemptAt: ({ state, nextAttemptAt }) => (state === "PENDING" ? nextAttemptAt : null),
};
