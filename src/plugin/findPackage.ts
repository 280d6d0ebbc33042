/** Where an installed package lies and what its main module is: as Node finds it, without running anything of it. */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { NotFoundError, PluginError } from "../errors.ts";

export interface FoundPackage {
  /** Real path of its folder. */
  readonly root: string;
  /** Path of its main module. */
  readonly file: string;
}

/**
 * Looks in node_modules of the folders and of those above them; default: the working directory and this program's. Throws
 * NotFoundError, PluginError.
 */
export function findPackage(
  name: string,
  folders: readonly string[] = [process.cwd(), dirname(fileURLToPath(import.meta.url))],
): FoundPackage {
  const folder = folders
    .flatMap(withAbove)
    .map((one) => join(one, "node_modules", name))
    .find((one) => existsSync(join(one, "package.json")));
  if (folder === undefined) {
    const expected = "a package that is installed here";
    throw new NotFoundError(`plugin package ${name}: expected ${expected}, but there is none of that name`, {
      field: "AUTOIFS_PLUGIN_PACKAGES",
      expected,
      received: name,
      hint: `npm install ${name}`,
    });
  }
  return packageIn(folder, `plugin package ${name}`);
}

/** The package in a folder. Throws PluginError. */
export function packageIn(folder: string, label: string): FoundPackage {
  const root = realpathSync(folder);
  const { exports, main } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, unknown>;
  const entry = exports === undefined ? (main ?? "index.js") : entryOf(exports);
  if (typeof entry === "string") return { root, file: join(root, entry) };
  throw new PluginError(`${label}: package.json: expected exports with a main module to import, got none`);
}

function withAbove(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...withAbove(above)];
}

/** What an import of the package alone means under its `exports`. */
function entryOf(exports: unknown): unknown {
  if (typeof exports !== "object" || exports === null) return exports;
  const members = Object.entries(exports);
  const own = members.find(([key]) => key === ".");
  if (own) return entryOf(own[1]);
  // The first condition that holds, in their own order.
  return members.flatMap(([key, value]) => (["node", "import", "default"].includes(key) ? [entryOf(value)] : []))[0];
}
