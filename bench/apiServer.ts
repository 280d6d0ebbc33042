/**
 * One GraphQL server over the store and the resolvers of this product, in a process of its own: this product's, or a bare one of
 * another make. `node bench/apiServer.ts <make> <data folder>`; tells its parent its URL.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import fastify from "fastify";
import { createSchema, createYoga } from "graphql-yoga";
import mercurius from "mercurius";
import { observe, openApp } from "../src/app.ts";
import { loadConfig } from "../src/config.ts";
import type { Config } from "../src/config.ts";
import type { Asked, Context } from "../src/context.ts";
import { resolvers, typeDefs } from "../src/graphql/schema.ts";
import { startServer } from "../src/server/startServer.ts";

export const makes = ["product", "standalone", "yoga", "mercurius"] as const;
export type Make = (typeof makes)[number];

const asked: Asked = {
  actor: { id: "", name: "anybody", role: "ADMIN" },
  requestId: "bench",
  signal: new AbortController().signal,
};

/** Of own members only, for these servers copy it. */
function plain({ actor, requestId, signal, services, loaders }: Context): Context {
  return { actor, requestId, signal, services, loaders };
}

const start: Readonly<Record<Make, (config: Config) => Promise<string>>> = {
  product: async (config) => (await startServer(config)).url,

  async standalone(config) {
    const app = await openApp(config, await observe("server", config));
    const apollo = new ApolloServer<Context>({ typeDefs: typeDefs(), resolvers });
    const { url } = await startStandaloneServer(apollo, {
      listen: { port: 0, host: "127.0.0.1" },
      context: async () => plain(app.createContext(asked)),
    });
    return url.replace(/\/$/, "");
  },

  async yoga(config) {
    const app = await openApp(config, await observe("server", config));
    const schema = createSchema<Context>({ typeDefs: typeDefs(), resolvers: resolvers as never });
    const yoga = createYoga({ schema, context: () => plain(app.createContext(asked)), logging: false });
    const http = createServer(yoga).listen(0, "127.0.0.1");
    await once(http, "listening");
    return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  },

  async mercurius(config) {
    const app = await openApp(config, await observe("server", config));
    const http = fastify();
    await http.register(mercurius, {
      schema: typeDefs(),
      resolvers: resolvers as never,
      context: () => plain(app.createContext(asked)) as never,
    });
    return http.listen({ port: 0, host: "127.0.0.1" });
  },
};

const [make, folder] = process.argv.slice(2);
if (make !== undefined && folder !== undefined) {
  const config = loadConfig({
    AUTOIFS_DATA: folder,
    AUTOIFS_PORT: "0",
    AUTOIFS_WORKERS: "0",
    AUTOIFS_LEASE_SECONDS: "600",
  });
  process.send?.(await start[make as Make](config));
  // Gone with its parent.
  process.once("disconnect", () => process.exit(0));
}
