/** Tokens: who may ask, and for what. Of the secret only the hash is here. */
import type { ApiTokenModel } from "./client/models.ts";
import { orNotFound } from "./found.ts";
import { rememberResult } from "./idempotency.ts";
import type { IdPrefix } from "./ids.ts";
import type { Page, PageRequest } from "./page.ts";
import { pageOf, pageQuery } from "./page.ts";
import type { Database } from "./sqlite.ts";

export type Role = "VIEWER" | "EDITOR" | "ADMIN";
export type ApiToken = Readonly<Omit<ApiTokenModel, "role" | "secretHash"> & { role: Role }>;

export interface NewToken {
  readonly name: string;
  readonly role: Role;
  readonly secretHash: string;
  /** Default: it does not expire. */
  readonly expiresAt?: Date;
}

const omit = { secretHash: true } as const;

export type Tokens = ReturnType<typeof tokenStore>;

export function tokenStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    create({ expiresAt, ...token }: NewToken): Promise<ApiToken> {
      return database.$transaction(async (tx) => {
        const id = newId("tok");
        const data = { ...token, id, createdAt: new Date(), expiresAt: expiresAt ?? null };
        const row = await tx.apiToken.create({ data, omit });
        await rememberResult(tx, id);
        return tokenOf(row);
      });
    },

    /** Null where no token has this secret. */
    async bySecretHash(secretHash: string): Promise<ApiToken | null> {
      const row = await database.apiToken.findUnique({ where: { secretHash }, omit });
      return row && tokenOf(row);
    },

    /** Newest first, revoked and expired ones too. */
    async list(page: PageRequest): Promise<Page<ApiToken>> {
      return pageOf((await database.apiToken.findMany({ ...pageQuery(page, "desc"), omit })).map(tokenOf), page);
    },

    /** Of all pages. */
    count(): Promise<number> {
      return database.apiToken.count();
    },

    async byIds(ids: readonly string[]): Promise<ApiToken[]> {
      return (await database.apiToken.findMany({ where: { id: { in: [...ids] } }, omit })).map(tokenOf);
    },

    /** False while there has never been one. */
    async exist(): Promise<boolean> {
      return (await database.apiToken.findFirst({ select: { id: true } })) !== null;
    },

    /** A token that is revoked already stays as it is. Throws NotFoundError. */
    revoke(id: string): Promise<ApiToken> {
      return database.$transaction(async (tx) => {
        await tx.apiToken.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: new Date() } });
        return tokenOf(orNotFound(await tx.apiToken.findUnique({ where: { id }, omit }), "token", id));
      });
    },

    async markUsed(id: string, at: Date): Promise<void> {
      await database.apiToken.updateMany({ where: { id }, data: { lastUsedAt: at } });
    },
  };
}

function tokenOf(row: Omit<ApiTokenModel, "secretHash">): ApiToken {
  return { ...row, role: row.role as Role };
}
