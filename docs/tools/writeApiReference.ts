/** `npm run docs`: writes docs/api.md from schema.graphql. */
import { readFileSync, writeFileSync } from "node:fs";
import { buildSchema } from "graphql";
import { apiReference } from "./apiReference.ts";

const schema = buildSchema(readFileSync(new URL("../../schema.graphql", import.meta.url), "utf8"));
writeFileSync(new URL("../api.md", import.meta.url), apiReference(schema));
