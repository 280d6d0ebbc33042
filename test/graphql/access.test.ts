/**
 * Who may ask for what: every field of the API and every path of the server, without a token and with each role. What a field
 * needs is written here once more, by hand, so that a rule that gets lost in the schema is missed here.
 */
import {
  buildSchema,
  getNamedType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from "graphql";
import type { GraphQLArgument, GraphQLField, GraphQLInputType, GraphQLObjectType } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { typeDefs } from "../../src/graphql/schema.ts";
import type { TestServer } from "../server/testServer.ts";
import { startTestServer } from "../server/testServer.ts";

const roles = ["VIEWER", "EDITOR", "ADMIN"] as const;

/** Fields of Query and Mutation that only an ADMIN may ask for. Of the others a query is for every token, a mutation for an EDITOR. */
const forAdmins = new Set<string>([
  "tokens",
  "auditLog",
  "checkAuditLog",
  "createToken",
  "revokeToken",
  "purgePlan",
  "purge",
  "webhook",
  "webhooks",
  "createWebhook",
  "updateWebhook",
  "deleteWebhook",
  "rotateWebhookSecret",
  "testWebhook",
  "redeliverWebhook",
]);
/** Types whose every field is for an ADMIN, however one comes to it. */
const typesForAdmins = /^(Token|AuditEntry|AuditCheck|AuditHead|Webhook(?!EventKind)\w*|PurgePlan)$/;

const schema = buildSchema(typeDefs());
let server: TestServer;
const headers: Record<string, Record<string, string>> = {
  nobody: {},
  stranger: { authorization: "Bearer autoifs_none" },
};

beforeAll(async () => {
  server = await startTestServer({ settings: { AUTOIFS_RATE_LIMIT: "0" } });
  const create = `mutation ($input: CreateTokenInput!) { createToken(input: $input) { secret } }`;
  for (const role of ["ADMIN", "VIEWER", "EDITOR"]) {
    const { data } = await server.query(create, { input: { name: role, role } }, headers["ADMIN"]);
    headers[role] = { authorization: `Bearer ${data.createToken.secret}` };
  }
});

afterAll(() => server.close());

interface Outcome {
  readonly status: number;
  readonly code: string | undefined;
}

async function ask(document: string, who: string): Promise<Outcome> {
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers[who] },
    body: JSON.stringify({ query: document }),
  });
  const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
  return { status: response.status, code: errors?.[0]?.extensions.code };
}

/** A valid use of an argument's type, with nothing in it that exists. */
function literal(type: GraphQLInputType): string {
  if (isNonNullType(type)) return literal(type.ofType);
  if (isListType(type)) return `[${literal(type.ofType)}]`;
  if (isInputObjectType(type)) {
    const required = Object.values(type.getFields()).filter(isRequired);
    return `{ ${required.map((field) => `${field.name}: ${literal(field.type)}`).join(", ")} }`;
  }
  const { name } = getNamedType(type);
  if (name === "Int" || name === "Float") return "1";
  if (name === "Boolean") return "false";
  if (name === "DateTime") return '"2030-01-01T00:00:00.000Z"';
  if ("getValues" in type) return (type as { getValues(): readonly { name: string }[] }).getValues()[0]!.name;
  return '"nothing"';
}

const isRequired = ({ type, defaultValue }: Pick<GraphQLArgument, "type" | "defaultValue">): boolean =>
  isNonNullType(type) && defaultValue === undefined;

/** The field with its required arguments, and below it the name of its type. */
function selection(field: GraphQLField<unknown, unknown>): string {
  const given = field.args.filter(isRequired).map(({ name, type }) => `${name}: ${literal(type)}`);
  return `${field.name}${given.length > 0 ? `(${given.join(", ")})` : ""}${isLeafType(getNamedType(field.type)) ? "" : " { __typename }"}`;
}

const fieldsOf = (type: GraphQLObjectType | null | undefined) => Object.values(type!.getFields());
const queries = fieldsOf(schema.getQueryType()).map((field) => ({ field, kind: "query", needs: "VIEWER" as const }));
const mutations = fieldsOf(schema.getMutationType()).map((field) => ({
  field,
  kind: "mutation",
  needs: "EDITOR" as const,
}));

describe("who may ask for", () => {
  for (const { field, kind, needs: usual } of [...queries, ...mutations]) {
    const needs = forAdmins.has(field.name) ? "ADMIN" : usual;
    // What is let in with the least role is let in with a higher one by the same comparison, and would be done three times.
    it(`${kind} ${field.name}: ${needs}`, async () => {
      const document = `${kind} { ${selection(field)} }`;
      for (const who of ["nobody", "stranger"]) {
        expect([who, await ask(document, who)]).toEqual([who, { status: 401, code: "UNAUTHENTICATED" }]);
      }
      for (const role of roles.slice(0, roles.indexOf(needs))) {
        expect([role, await ask(document, role)]).toEqual([role, { status: 403, code: "FORBIDDEN" }]);
      }
      expect(["UNAUTHENTICATED", "FORBIDDEN"]).not.toContain((await ask(document, needs)).code);
    });
  }
});

describe("a field of a type for administrators", () => {
  const types = Object.values(schema.getTypeMap()).filter(isObjectType);
  const restricted = types.filter(({ name }) => typesForAdmins.test(name) && !/(Connection|Edge|Payload)$/.test(name));

  for (const type of restricted.filter((one) => one.getInterfaces().some(({ name }) => name === "Node"))) {
    it(`is refused to others behind \`node\` too: ${type.name}`, async () => {
      for (const field of fieldsOf(type)) {
        const document = `{ node(id: "x_1") { ... on ${type.name} { ${selection(field)} } } }`;
        expect([field.name, await ask(document, "EDITOR")]).toEqual([field.name, { status: 403, code: "FORBIDDEN" }]);
        expect([field.name, (await ask(document, "ADMIN")).code]).toEqual([field.name, undefined]);
      }
    });
  }
});

describe("all other fields", () => {
  it("are for whoever has a token: asked for behind `node`, with the least role", async () => {
    const types = Object.values(schema.getTypeMap()).filter(isObjectType);
    const open = types.filter(({ name }) => !name.startsWith("__") && !typesForAdmins.test(name));
    const nodes = open.filter((one) => one.getInterfaces().some(({ name }) => name === "Node"));
    for (const type of nodes) {
      for (const field of fieldsOf(type)) {
        const document = `{ node(id: "x_1") { ... on ${type.name} { ${selection(field)} } } }`;
        const expected = forAdmins.has(field.name) ? "FORBIDDEN" : undefined;
        expect([type.name, field.name, (await ask(document, "VIEWER")).code]).toEqual([
          type.name,
          field.name,
          expected,
        ]);
        expect([type.name, field.name, (await ask(document, "nobody")).code]).toEqual([
          type.name,
          field.name,
          "UNAUTHENTICATED",
        ]);
      }
    }
  });
});

describe("the paths of the server", () => {
  const get = async (path: string, who: string, method = "GET", extra = {}) =>
    (
      await fetch(server.url + path, {
        method,
        headers: { ...headers[who], ...extra },
        ...(method === "PUT" ? { body: "a" } : {}),
      })
    ).status;

  it("`/live`, `/ready` and the page are for everybody", async () => {
    expect(await get("/live", "nobody")).toBe(200);
    expect(await get("/ready", "nobody")).toBe(200);
    expect(await get("/graphql", "nobody", "GET", { accept: "text/html" })).toBe(200);
  });

  it("`/metrics` and downloads need a token", async () => {
    expect(await get("/metrics", "nobody")).toBe(401);
    expect(await get("/metrics", "VIEWER")).toBe(200);
    for (const path of ["/exports/xpt_1", "/batch-predictions/bat_1", "/model-exports/mxp_1"]) {
      expect([path, await get(path, "nobody")]).toEqual([path, 401]);
      expect([path, await get(path, "VIEWER")]).toEqual([path, 404]);
    }
  });

  it("uploads need an EDITOR", async () => {
    expect(await get("/uploads/a.csv", "nobody", "PUT")).toBe(401);
    expect(await get("/uploads/a.csv", "VIEWER", "PUT")).toBe(403);
    expect(await get("/uploads/a.csv", "EDITOR", "PUT")).toBe(201);
  });

  it("streams of events need a token", async () => {
    const stream = `/graphql/stream?query=${encodeURIComponent("{ viewer { role } }")}`;
    expect(await get(stream, "nobody", "GET", { accept: "text/event-stream" })).toBe(401);
    expect(await get(stream, "VIEWER", "GET", { accept: "text/event-stream" })).toBe(200);
  });
});
