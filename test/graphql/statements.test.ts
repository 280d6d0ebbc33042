import {
  buildSchema,
  getNamedType,
  getNullableType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from "graphql";
import type { GraphQLField, GraphQLNamedType, GraphQLObjectType } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { typeDefs } from "../../src/graphql/schema.ts";
import { startFilledServer } from "../server/filledServer.ts";
import type { FilledServer } from "../server/filledServer.ts";

/**
 * Every list of the API with everything its things have, and everything that what they refer to has, for few of them and for
 * many: the queries are made from the schema, so that a relation nobody has thought of here is asked for too.
 */

const schema = buildSchema(typeDefs());
const lists = Object.values(schema.getQueryType()!.getFields()).filter(({ type }) => isConnection(getNamedType(type)));
const [few, many] = [4, 24];

let server: FilledServer;
beforeAll(async () => {
  server = await startFilledServer(80);
  server.change(`${filling}`);
});
afterAll(() => server.close());

describe("a list with all that its things have", () => {
  const cases = lists.map((field) => [field.name, field] as const);

  it.each(cases)("costs as many statements for many as for few: %s", async (name, field) => {
    const document = documentOf(field, 1);
    const some = await server.counted(document, { first: few });
    const more = await server.counted(document, { first: many });
    if (filled.includes(name)) {
      expect([some, more].map(({ data }) => data[name].nodes.length)).toEqual([few, many]);
    }
    expect(more.statements).toHaveLength(some.statements.length);
  });

  it("and so does one in the other, in the other, in the other", async () => {
    const runs = `runs(first: 3) { totalCount nodes {
      trial { number experiment { name trials(first: 2) { totalCount nodes { values runs { id matrix { meanAuc } } } } } }
      children { metrics { name mean } events(first: 5) { events { sequence } } tags { key } }
    } }`;
    const document = `query ($first: Int!) {
      datasets(first: $first) { totalCount nodes { name counts { scenario { key } rows } ${runs} } }
      experiments(first: $first) { nodes { trialCounts { count } trials(first: 3) { nodes { dataset { ${runs} } } } } }
    }`;
    const some = await server.counted(document, { first: few });
    const more = await server.counted(document, { first: many });
    expect(more.data.datasets.nodes).toHaveLength(many);
    expect(more.statements).toHaveLength(some.statements.length);
    expect(more.statements.length).toBeLessThan(30);
  });
});

/** Lists that are longer than `many`. */
const filled = ["scenarios", "tasks", "datasets", "runs", "experiments"];

/** The query of a list, with a fragment for each type and depth: all fields; `depth` references away only ids. */
function documentOf({ name, type }: GraphQLField<unknown, unknown>, depth: number): string {
  const fragments = new Map<string, string>();
  const page = selection(getNamedType(type), depth, fragments);
  return [`query ($first: Int!) { ${name}(first: $first) { ${page} } }`, ...fragments.values()].join("\n");
}

type Fragments = Map<string, string>;

/** Empty where there is nothing to ask for. */
function selection(type: GraphQLNamedType, depth: number, fragments: Fragments): string {
  // Unions hold numbers alone, and what implements an interface has a list of its own.
  if (!isObjectType(type)) return "__typename";
  const name = `${type.name}${depth}`;
  if (!fragments.has(name)) {
    fragments.set(name, "");
    const fields = Object.values(type.getFields()).flatMap((field) => chosen(field, type, depth, fragments));
    fragments.set(name, fields.length === 0 ? "" : `fragment ${name} on ${type.name} { ${fields.join(" ")} }`);
  }
  return fragments.get(name) === "" ? "" : `...${name}`;
}

function chosen(
  field: GraphQLField<unknown, unknown>,
  parent: GraphQLObjectType,
  depth: number,
  fragments: Fragments,
): string[] {
  if (field.args.some(({ type, defaultValue }) => isNonNullType(type) && defaultValue === undefined)) return [];
  const type = getNamedType(field.type);
  // The same things again.
  if (isConnection(parent) && field.name === "edges") return [];
  const { name } = field;
  if (isLeafType(type)) return [name];
  const isThing = isObjectType(type) && type.getInterfaces().some((one) => one.name === "Node");
  const isStep = isThing && !isConnection(parent);
  if (isConnection(type)) return depth === 0 ? [] : [`${name}(first: 2) { ${selection(type, depth, fragments)} }`];
  if (isStep && depth === 0) return [`${name} { id }`];
  // A list of a list of a list is not what is measured here.
  if (isStep && isListType(getNullableType(field.type)) && depth === 1) return [`${name} { id }`];
  const inside = selection(type, isStep ? depth - 1 : depth, fragments);
  return inside === "" ? [] : [`${name} { ${inside} }`];
}

function isConnection(type: GraphQLNamedType): boolean {
  return type.name.endsWith("Connection");
}

/**
 * Beside the runs: scenarios, tasks and datasets that nothing uses, experiments of two trials with a run each, repetitions,
 * events and tags.
 */
const numbers = `WITH RECURSIVE "number" (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM "number" WHERE i < 50)`;
const spec = {
  configurations: [{ name: "a", isPruned: false }],
  datasets: ["any"],
  seeds: [1, 2],
  objective: { metric: "auc", over: "MEAN", weights: [] },
  sweep: null,
};
const at = `'2026-01-01T00:00:00.000+00:00'`;
const filling = `
  INSERT INTO "Scenario" ("id", "key", "name", "description", "createdAt")
    ${numbers} SELECT printf('scn_1%04d', i), 'scenario' || i, '', '', ${at} FROM "number";
  INSERT INTO "Task" ("id", "key", "name", "description", "createdAt")
    ${numbers} SELECT printf('tsk_1%04d', i), 'task' || i, '', '', ${at} FROM "number";
  INSERT INTO "Dataset" ("id", "name", "version", "sourceFile", "spec", "status", "createdAt")
    ${numbers} SELECT printf('ds_1%04d', i), 'copy', i, "sourceFile", "spec", 'READY', ${at}
    FROM "number", (SELECT * FROM "Dataset" LIMIT 1);
  UPDATE "ModelRun" SET "datasetId" = printf('ds_1%04d', "seed" % 40 + 11);
  INSERT INTO "DatasetCount" ("datasetId", "split", "scenarioKey", "taskKey", "rows", "positives")
    ${numbers} SELECT printf('ds_1%04d', i), "split", "scenarioKey", "taskKey", "rows", "positives"
    FROM "number", "DatasetCount" WHERE "datasetId" = (SELECT min("datasetId") FROM "DatasetCount");
  INSERT INTO "Experiment" ("id", "name", "state", "spec", "createdAt")
    ${numbers} SELECT printf('exp_1%04d', i), 'seeds', 'RUNNING', '${JSON.stringify(spec)}', ${at}
    FROM "number";
  INSERT INTO "Trial" ("id", "experimentId", "number", "configuration", "datasetId", "seed", "state", "rung")
    ${numbers} SELECT printf('trl_1%04d', 2 * i + "second"), printf('exp_1%04d', i), "second" + 1, '{"name":"a","values":{}}',
      printf('ds_1%04d', i), "second" + 1, 'FINISHED', 0 FROM "number", (SELECT 0 AS "second" UNION SELECT 1);
  UPDATE "ModelRun" SET "trialId" = printf('trl_1%04d', 101 - "seed");
  UPDATE "ModelRun" SET "replayOfRunId" = (SELECT "id" FROM "ModelRun" AS "other" WHERE "other"."seed" = 77 + "ModelRun"."seed" % 3)
    WHERE "seed" NOT BETWEEN 77 AND 79;
  INSERT INTO "RunEvent" ("runId", "sequence", "kind", "content", "createdAt")
    SELECT "id", 1, 'STATE', '{"state":"QUEUED","attempt":1}', ${at} FROM "ModelRun";
  UPDATE "ModelRun" SET "lastEvent" = 1;
  INSERT INTO "Tag" ("runId", "key", "value") SELECT "id", 'team', 'feed' FROM "ModelRun";
  INSERT INTO "Tag" ("datasetId", "key", "value") SELECT "id", 'team', 'feed' FROM "Dataset";
`;
