/**
 * Webhooks, and what was sent to them or is to be sent. A delivery's states:
 *
 *   PENDING → DELIVERED (answered with 2xx) | GIVEN_UP (the last attempt failed) → PENDING (redeliver)
 *
 * A PENDING one is due from `nextAttemptAt` on. Whoever claims it puts that off until the attempt must be over; so one whose
 * sender was killed is due again.
 */
import { ConflictError } from "../errors.ts";
import type { WebhookDeliveryModel, WebhookModel } from "./client/models.ts";
import { Prisma } from "./client/client.ts";
import { orNotFound } from "./found.ts";
import { rememberResult } from "./idempotency.ts";
import type { IdPrefix } from "./ids.ts";
import type { EventKind } from "./outbox.ts";
import { newDelivery } from "./outbox.ts";
import type { Page, PageRequest } from "./page.ts";
import { pageOf, pageQuery } from "./page.ts";
import type { Database, DatabaseTransaction } from "./sqlite.ts";

export type DeliveryState = "PENDING" | "DELIVERED" | "GIVEN_UP";
export type Webhook = Readonly<
  Omit<WebhookModel, "events" | "secret" | "previousSecret"> & { readonly events: readonly EventKind[] }
>;
export type WebhookDelivery = Readonly<Omit<WebhookDeliveryModel, "state"> & { readonly state: DeliveryState }>;

export interface NewWebhook {
  readonly url: string;
  readonly secret: string;
  readonly events: readonly EventKind[];
  readonly description: string;
}

export type WebhookChange = Partial<Pick<Webhook, "url" | "events" | "description" | "active">>;

export interface DeliveryPageRequest extends PageRequest {
  /** Default: all. */
  readonly state?: DeliveryState;
}

/** Deliveries to a webhook in one state. */
export interface DeliveryCount {
  readonly webhookId: string;
  readonly state: DeliveryState;
  readonly count: number;
}

/** A delivery whose attempt begins. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly webhookId: string;
  readonly payload: string;
  /** This one included. */
  readonly attempts: number;
  readonly url: string;
  readonly secret: string;
  /** Signs as well, for receivers that do not know the new one yet; null where there is none, or not any more. */
  readonly previousSecret: string | null;
}

/** How an attempt ended: with `nextAttemptAt` it is to be tried again. */
export interface AttemptEnd {
  readonly state: DeliveryState;
  /** Null where there was no answer. */
  readonly status: number | null;
  /** Null where it was delivered. */
  readonly error: string | null;
  readonly at: Date;
  readonly nextAttemptAt?: Date;
}

const previousSignsForMs = 24 * 60 * 60 * 1000;
const omit = { secret: true, previousSecret: true } as const;

export type Webhooks = ReturnType<typeof webhookStore>;

export function webhookStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    create({ events, ...columns }: NewWebhook): Promise<Webhook> {
      return database.$transaction(async (tx) => {
        const id = newId("whk");
        const data = { ...columns, id, events: JSON.stringify(events), active: true, createdAt: new Date() };
        const row = await tx.webhook.create({ data, omit });
        await rememberResult(tx, id);
        return webhookOf(row);
      });
    },

    /** Throws NotFoundError. */
    update(id: string, { events, ...columns }: WebhookChange): Promise<Webhook> {
      return database.$transaction(async (tx) => {
        await webhookIn(tx, id);
        const data = { ...columns, ...(events ? { events: JSON.stringify(events) } : {}) };
        return webhookOf(await tx.webhook.update({ where: { id }, data, omit }));
      });
    },

    /** With its deliveries. Throws NotFoundError. */
    async delete(id: string): Promise<void> {
      await database.$transaction(async (tx) => {
        await webhookIn(tx, id);
        await tx.webhook.delete({ where: { id } });
      });
    },

    /** The secret it had signs as well for a day. Throws NotFoundError. */
    rotateSecret(id: string, secret: string): Promise<Webhook> {
      return database.$transaction(async (tx) => {
        const row = orNotFound(await tx.webhook.findUnique({ where: { id } }), "webhook", id);
        const data = { secret, previousSecret: row.secret, rotatedAt: new Date() };
        return webhookOf(await tx.webhook.update({ where: { id }, data, omit }));
      });
    },

    /** Newest first. */
    async list(page: PageRequest): Promise<Page<Webhook>> {
      return pageOf((await database.webhook.findMany({ ...pageQuery(page, "desc"), omit })).map(webhookOf), page);
    },

    async byIds(ids: readonly string[]): Promise<Webhook[]> {
      return (await database.webhook.findMany({ where: { id: { in: [...ids] } }, omit })).map(webhookOf);
    },

    async deliveriesByIds(ids: readonly string[]): Promise<WebhookDelivery[]> {
      return (await database.webhookDelivery.findMany({ where: { id: { in: [...ids] } } })).map(deliveryOf);
    },

    count(): Promise<number> {
      return database.webhook.count();
    },

    /**
     * A page of the deliveries of each webhook, newest first; of each up to one more than asked for, which tells that there is
     * a next page.
     */
    async deliveryPagesByWebhookIds(
      webhookIds: readonly string[],
      { first, after, state }: DeliveryPageRequest,
    ): Promise<WebhookDelivery[]> {
      if (webhookIds.length === 0) return [];
      const beyond = after === undefined ? Prisma.empty : Prisma.sql`AND own."id" < ${after}`;
      const inState = state === undefined ? Prisma.empty : Prisma.sql`AND own."state" = ${state}`;
      const rows = await database.$queryRaw<WebhookDeliveryModel[]>`
        SELECT delivery.* FROM "Webhook" AS webhook JOIN "WebhookDelivery" AS delivery ON delivery."id" IN (
          SELECT own."id" FROM "WebhookDelivery" AS own WHERE own."webhookId" = webhook."id" ${inState} ${beyond}
          ORDER BY own."id" DESC LIMIT ${first + 1}
        )
        WHERE webhook."id" IN (${Prisma.join([...webhookIds])})
        ORDER BY delivery."id" DESC`;
      return rows.map(deliveryOf);
    },

    /** Per state; states without deliveries are left out. */
    async deliveryCountsByWebhookIds(webhookIds: readonly string[]): Promise<DeliveryCount[]> {
      const where = { webhookId: { in: [...webhookIds] } };
      const rows = await database.webhookDelivery.groupBy({ by: ["webhookId", "state"], where, _count: true });
      return rows.map(({ webhookId, state, _count }) => ({ webhookId, state: state as DeliveryState, count: _count }));
    },

    /** A delivery that no change has caused. Throws NotFoundError, or ConflictError where the webhook is switched off. */
    addDelivery(webhookId: string, kind: string, content: object): Promise<WebhookDelivery> {
      return database.$transaction(async (tx) => {
        assertActive(await webhookIn(tx, webhookId));
        const id = newId("dlv");
        const event = { kind, subjectId: webhookId, content, createdAt: new Date() };
        const row = await tx.webhookDelivery.create({ data: newDelivery(id, webhookId, event) });
        await rememberResult(tx, id);
        return deliveryOf(row);
      });
    },

    /**
     * Due at once, and all attempts are before it again, whatever became of it. Throws NotFoundError, or ConflictError where
     * the webhook is switched off.
     */
    redeliver(id: string): Promise<WebhookDelivery> {
      return database.$transaction(async (tx) => {
        const { webhookId } = orNotFound(await tx.webhookDelivery.findUnique({ where: { id } }), "delivery", id);
        assertActive(await webhookIn(tx, webhookId));
        const data = { state: "PENDING", attempts: 0, nextAttemptAt: new Date(), deliveredAt: null };
        const row = await tx.webhookDelivery.update({ where: { id }, data });
        await rememberResult(tx, id);
        return deliveryOf(row);
      });
    },

    /** False where nothing would ever be sent. */
    async anyActive(): Promise<boolean> {
      return (await database.webhook.findFirst({ where: { active: true }, select: { id: true } })) !== null;
    },

    /**
     * The delivery that has been due longest, but of none of the webhooks `except`; null where there is none. It is not due
     * again before `leaseMs` have passed.
     */
    async claimDue(now: Date, leaseMs: number, except: readonly string[]): Promise<ClaimedDelivery | null> {
      for (;;) {
        const due = await database.webhookDelivery.findFirst({
          where: {
            state: "PENDING",
            nextAttemptAt: { lte: now },
            webhook: { active: true },
            webhookId: { notIn: [...except] },
          },
          orderBy: [{ nextAttemptAt: "asc" }, { id: "asc" }],
          include: { webhook: true },
        });
        if (due === null) return null;
        const { id, webhookId, payload, webhook } = due;
        const attempts = due.attempts + 1;
        const claimed = await database.webhookDelivery.updateMany({
          where: { id, state: "PENDING", attempts: due.attempts, nextAttemptAt: { lte: now } },
          data: { attempts, nextAttemptAt: new Date(now.getTime() + leaseMs) },
        });
        // Another process may have been faster.
        if (claimed.count === 0) continue;
        const isRecent = webhook.rotatedAt !== null && now.getTime() - webhook.rotatedAt.getTime() < previousSignsForMs;
        const previousSecret = isRecent ? webhook.previousSecret : null;
        return { id, webhookId, payload, attempts, url: webhook.url, secret: webhook.secret, previousSecret };
      }
    },

    /** Writes how the attempt ended, unless it was claimed again or is gone. */
    async endAttempt(
      { id, attempts }: Pick<ClaimedDelivery, "id" | "attempts">,
      { state, status, error, at, nextAttemptAt }: AttemptEnd,
    ): Promise<void> {
      await database.webhookDelivery.updateMany({
        where: { id, attempts, state: "PENDING" },
        data: {
          state,
          lastStatus: status,
          lastError: error,
          deliveredAt: state === "DELIVERED" ? at : null,
          ...(nextAttemptAt ? { nextAttemptAt } : {}),
        },
      });
    },

    /** Puts back what was broken off before it ended, as if it had not been attempted: due again at `at`. */
    async putBack({ id, attempts }: Pick<ClaimedDelivery, "id" | "attempts">, error: string, at: Date): Promise<void> {
      await database.webhookDelivery.updateMany({
        where: { id, attempts, state: "PENDING" },
        data: { attempts: attempts - 1, lastStatus: null, lastError: error, nextAttemptAt: at },
      });
    },

    /** Takes away deliveries of before `time` that are not to be sent any more. */
    async forgetEnded(time: Date): Promise<void> {
      const where = { state: { in: ["DELIVERED", "GIVEN_UP"] }, createdAt: { lt: time } };
      await database.webhookDelivery.deleteMany({ where });
    },
  };
}

async function webhookIn(tx: DatabaseTransaction, id: string): Promise<Webhook> {
  return webhookOf(orNotFound(await tx.webhook.findUnique({ where: { id }, omit }), "webhook", id));
}

function assertActive({ id, active }: Webhook): void {
  if (active) return;
  throw new ConflictError(`webhook ${id}: expected one that is active, but it is switched off`, {
    field: "id",
    expected: "an active webhook",
    received: "one that is switched off",
    hint: "switch it on with updateWebhook first",
  });
}

function webhookOf({ events, ...row }: Omit<WebhookModel, "secret" | "previousSecret">): Webhook {
  return { ...row, events: JSON.parse(events) as EventKind[] };
}

function deliveryOf(row: WebhookDeliveryModel): WebhookDelivery {
  return { ...row, state: row.state as DeliveryState };
}
