/** Tokens, and the log of what was done with them. Who may ask for what stands in the schema: `@access`. */
import type { Resolvers } from "./generated.ts";
import { connection } from "./pagination.ts";

export const Query: Resolvers["Query"] = {
  viewer: (_, __, { actor }) => ({ ...actor, tokenId: actor.id || null }),
  tokens: (_, page, { loaders }) => connection(page, loaders.lists.tokens()),
  auditLog: (_, { filter, ...page }, { loaders }) =>
    connection(
      page,
      loaders.lists.auditLog({
        ...(typeof filter?.actor === "string" ? { actor: filter.actor } : {}),
        ...(filter?.operation ? { operation: filter.operation } : {}),
        ...(filter?.phase ? { phase: filter.phase } : {}),
      }),
    ),
  checkAuditLog: async (_, { noted }, { services }) => {
    const check = await services.checkAuditLog(noted ?? undefined);
    return { ...check, intact: check.brokenAt === null };
  },
};

export const Mutation: Resolvers["Mutation"] = {
  createToken: (_, { input }, { services }) => services.createToken(input),
  revokeToken: async (_, { input }, { services }) => ({ token: await services.revokeToken(input) }),
};

export const AuditEntry: Resolvers["AuditEntry"] = {
  tokenId: ({ actor }) => actor || null,
  subjects: ({ subjects }) => [...subjects],
};
