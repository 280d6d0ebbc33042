/**
 * `npm run schema:release -- <version> [<file with the schema before>]`: writes the differences between the schema of the last
 * release (or that of the file) and schema.graphql into docs/schema-changes.md, and makes schema.graphql the released one.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { withRelease } from "./schemaChangelog.ts";

const [version, before] = process.argv.slice(2);
const files = {
  schema: new URL("../../schema.graphql", import.meta.url),
  released: new URL("../schema.released.graphql", import.meta.url),
  changelog: new URL("../schema-changes.md", import.meta.url),
};
const read = (file: URL | string): string => readFileSync(file, "utf8");
const release = {
  version: version ?? "",
  date: new Date().toISOString().slice(0, 10),
  before: read(before ?? files.released),
  after: read(files.schema),
};
try {
  writeFileSync(files.changelog, withRelease(read(files.changelog), release));
  writeFileSync(files.released, release.after);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
