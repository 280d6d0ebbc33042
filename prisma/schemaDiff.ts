/** The SQL that turns one Prisma schema into another, by Prisma's schema engine in WebAssembly: no database, no network. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as engine from "@prisma/schema-engine-wasm/schema_engine_bg";

/** Statements for SQLite. `from` is null for an empty database; the result is empty where nothing differs. */
export async function schemaDiff(from: string | null, to: string): Promise<string> {
  await (loaded ??= load());
  const schema = (content: string) => ({ files: [{ path: "schema.prisma", content }] });
  const differ = await engine.SchemaEngine.new({ datamodels: [["schema.prisma", to]] }, () => undefined, offline);
  const { stdout } = await differ.diff({
    from: from === null ? { tag: "empty" } : { tag: "schemaDatamodel", ...schema(from) },
    to: { tag: "schemaDatamodel", ...schema(to) },
    script: true,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
  });
  const script = stdout ?? "";
  return script.includes("This is an empty migration") ? "" : script;
}

/** The engine's JavaScript half holds one instance, so it may be loaded once. */
let loaded: Promise<void> | undefined;

/** The package's own loader needs a flag of Node; this does the same without. */
async function load(): Promise<void> {
  const file = createRequire(import.meta.url).resolve("@prisma/schema-engine-wasm/schema_engine_bg");
  const { instance } = await WebAssembly.instantiate(readFileSync(file.replace(/\.js$/, ".wasm")), {
    "./schema_engine_bg.js": engine as unknown as WebAssembly.ModuleImports,
  });
  engine.__wbg_set_wasm(instance.exports);
  (instance.exports.__wbindgen_start as () => void)();
}

/** The engine wants to be connected, but asks nothing to compare two schemas. */
const offline = {
  provider: "sqlite",
  adapterName: "none",
  connect: async () => ({ ok: true, value: { provider: "sqlite", adapterName: "none", ...unasked } }),
};

const refuse = () => Promise.reject(new Error("schemaDiff: expected no query, but the engine asks the database"));
const unasked = { queryRaw: refuse, executeRaw: refuse, executeScript: refuse, dispose: async () => ({ ok: true }) };
