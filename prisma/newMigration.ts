/**
 * Writes the next migration: the difference between the committed schema.prisma and the one in the folder.
 *
 *   node --import tsx prisma/newMigration.ts <name> [<git revision of the old schema, default HEAD>]
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { schemaDiff } from "./schemaDiff.ts";

const [name, revision = "HEAD"] = process.argv.slice(2);
if (name === undefined || !/^[a-z0-9_]+$/.test(name)) {
  throw new Error(`newMigration: expected a name of a-z, 0-9 and _, got ${name ?? "none"}`);
}

const folder = import.meta.dirname;
const migrations = join(folder, "migrations");
const isFirst = readdirSync(migrations, { withFileTypes: true }).every((entry) => !entry.isDirectory());
const committed = () => execFileSync("git", ["show", `${revision}:./schema.prisma`], { cwd: folder, encoding: "utf8" });

const sql = await schemaDiff(isFirst ? null : committed(), readFileSync(join(folder, "schema.prisma"), "utf8"));
if (sql === "") {
  console.log(`The schema is the same as in ${revision}; nothing written.`);
} else {
  // Prisma's layout: <yyyymmddhhmmss>_<name>/migration.sql
  const timestamp = new Date().toISOString().replace(/\D/g, "").slice(0, 14);
  const target = join(migrations, `${timestamp}_${name}`);
  mkdirSync(target);
  writeFileSync(join(target, "migration.sql"), sql);
  console.log(`Wrote ${join(target, "migration.sql")}: read it before you commit it.`);
}
