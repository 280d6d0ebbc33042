/**
 * What webhooks are still to be told of. An event is written in the transaction of the change it tells of, so that a kill
 * at any moment loses none; where no webhook wants its kind nothing is written. Taking it out of the outbox and making a
 * delivery of it for each webhook is one transaction too.
 */
import type { IdPrefix } from "./ids.ts";
import type { Database, DatabaseTransaction } from "./sqlite.ts";

export const eventKinds = [
  "run.queued",
  "run.running",
  "run.paused",
  "run.succeeded",
  "run.failed",
  "run.cancelled",
  "dataset.ready",
  "dataset.failed",
  "experiment.finished",
  "model.version_created",
  "model.alias_moved",
  "model.promotion_refused",
] as const;

export type EventKind = (typeof eventKinds)[number];

/** Events that become deliveries in one transaction. */
const eventsAtOnce = 200;

export type Outbox = ReturnType<typeof outboxStore>;

export function outboxStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    /** Makes deliveries, due at once, of the oldest events. True where there may be more. */
    async distribute(): Promise<boolean> {
      // Most looks find nothing, and reading takes no lock.
      if ((await database.outboxEvent.findFirst({ select: { id: true } })) === null) return false;
      return database.$transaction(async (tx) => {
        const events = await tx.outboxEvent.findMany({ orderBy: { id: "asc" }, take: eventsAtOnce });
        const webhooks = await tx.webhook.findMany({ where: { active: true }, select: { id: true, events: true } });
        const wanting = webhooks.map(({ id, events: kinds }) => ({ id, kinds: JSON.parse(kinds) as string[] }));
        const data = events.flatMap(({ kind, subjectId, content, createdAt }) =>
          wanting
            .filter(({ kinds }) => kinds.includes(kind))
            .map(({ id }) =>
              newDelivery(newId("dlv"), id, { kind, subjectId, content: JSON.parse(content), createdAt }),
            ),
        );
        if (data.length > 0) await tx.webhookDelivery.createMany({ data });
        await tx.outboxEvent.deleteMany({ where: { id: { in: events.map(({ id }) => id) } } });
        return events.length === eventsAtOnce;
      });
    },

    /** Events that no delivery was made of yet. */
    size(): Promise<number> {
      return database.outboxEvent.count();
    },
  };
}

/** To be called in the transaction of the change. One statement, and no row where no active webhook wants the kind. */
export async function announce(
  tx: DatabaseTransaction,
  kind: EventKind,
  subjectId: string,
  content: object,
): Promise<void> {
  const wanted = `%"${kind}"%`;
  await tx.$executeRaw`
    INSERT INTO "OutboxEvent" ("kind", "subjectId", "content", "createdAt")
    SELECT ${kind}, ${subjectId}, ${JSON.stringify(content)}, ${new Date()}
    WHERE EXISTS (SELECT 1 FROM "Webhook" WHERE "active" = ${true} AND "events" LIKE ${wanted})`;
}

/** The row of a delivery that is due at once. What is sent holds its id, so that a receiver knows it again. */
export function newDelivery(
  id: string,
  webhookId: string,
  event: { readonly kind: string; readonly subjectId: string; readonly content: unknown; readonly createdAt: Date },
) {
  const { kind, subjectId, content, createdAt } = event;
  const payload = JSON.stringify({ id, type: kind, at: createdAt.toISOString(), data: content });
  const now = new Date();
  return { id, webhookId, kind, subjectId, payload, state: "PENDING", attempts: 0, nextAttemptAt: now, createdAt: now };
}
