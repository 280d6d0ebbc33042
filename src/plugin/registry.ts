/**
 * Finds the backbones: every folder with an index file, and the packages named in the configuration. It knows none by
 * name, and one that is broken does not keep the others out.
 */
import { existsSync, realpathSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { z } from "zod";
import { InvalidInputError, NotFoundError, PluginError, ProductError } from "../errors.ts";
import type { BackbonePlugin } from "./contract.ts";
import { findPackage } from "./findPackage.ts";
import { guarded, pluginError, type PluginPlace, type PluginWatch, unwatched } from "./guard.ts";
import { openDoor } from "./openDoor.ts";

/** Where a plugin may be imported from, in any thread. Plain data. */
export interface PluginSource extends PluginPlace {
  /** The name of its folder or package. */
  readonly from: string;
  /** The name the plugin must have; one of a package may have any. */
  readonly name?: string;
}

/** A folder or package that gave no usable plugin, and why; the message of the error names it. */
export interface PluginFailure {
  /** The name of the folder or package. */
  readonly from: string;
  readonly error: ProductError;
}

export interface LoadedPlugins {
  /** By name, in alphabetical order. */
  readonly plugins: ReadonlyMap<string, BackbonePlugin>;
  /** Where each of them was imported from. */
  readonly sources: ReadonlyMap<string, PluginSource>;
  readonly failures: readonly PluginFailure[];
}

/**
 * Imports `<folder>/<name>/index.js` (or `index.ts`, where the process can run it) of every sub-folder that has one, and
 * then the packages. Throws InvalidInputError only where the folder itself cannot be read.
 */
export async function loadPlugins(folder: string | URL, packages: readonly string[] = []): Promise<LoadedPlugins> {
  const { sources, failures } = await findPlugins(folder, packages);
  return importPlugins(sources, failures);
}

/** The same without importing anything: where the plugins are. */
export async function findPlugins(
  folder: string | URL,
  packages: readonly string[],
): Promise<{ sources: readonly PluginSource[]; failures: readonly PluginFailure[] }> {
  const sources = await pluginFolders(folder);
  const failures: PluginFailure[] = [];
  for (const from of packages) {
    try {
      const { root, file } = findPackage(from);
      sources.push({ label: `plugin package ${from}`, from, module: pathToFileURL(file).href, root });
    } catch (error) {
      failures.push({ from, error: error as ProductError });
    }
  }
  return { sources, failures };
}

/** Those that can be imported; the others are added to `failures`. */
export async function importPlugins(
  found: readonly PluginSource[],
  failed: readonly PluginFailure[],
): Promise<LoadedPlugins> {
  const plugins = new Map<string, BackbonePlugin>();
  const sources = new Map<string, PluginSource>();
  const failures = [...failed];
  for (const source of found) {
    try {
      const plugin = await importPlugin(source);
      if (plugins.has(plugin.name)) throw invalid(source, "name", "a name that no other plugin has", plugin.name);
      plugins.set(plugin.name, plugin);
      sources.set(plugin.name, source);
    } catch (error) {
      failures.push({ from: source.from, error: error as ProductError });
    }
  }
  const inOrder = [...plugins].sort(([a], [b]) => (a < b ? -1 : 1));
  return { plugins: new Map(inOrder), sources, failures };
}

/**
 * The plugin of a source; what its functions throw arrives as PluginError. Throws PluginError where it cannot be imported or is
 * no plugin. `watch` hears of the import and of everything its functions do.
 */
export async function importPlugin(source: PluginSource, watch: PluginWatch = unwatched): Promise<BackbonePlugin> {
  openDoor(source.root);
  watch.enter("import");
  try {
    const module: unknown = await import(/* @vite-ignore */ source.module);
    return guarded(checkPlugin(source, (module as { readonly default?: unknown }).default), source, watch);
  } catch (error) {
    if (error instanceof ProductError) throw error;
    throw pluginError(source, "import", readableImportError(source.module, error));
  } finally {
    watch.leave();
  }
}

/** The source of the plugin of that name. Throws NotFoundError as `backbonePlugin` does. */
export function pluginSource(sources: ReadonlyMap<string, PluginSource>, name: string): PluginSource {
  return named(sources, name, "backbone.name");
}

/** The plugin of that name; throws NotFoundError, listing the names there are. `field` is the input that named it. */
export function backbonePlugin(
  plugins: ReadonlyMap<string, BackbonePlugin>,
  name: string,
  field = "backbone.name",
): BackbonePlugin {
  return named(plugins, name, field);
}

function named<T>(all: ReadonlyMap<string, T>, name: string, field: string): T {
  const one = all.get(name);
  if (one) return one;
  const expected = all.size > 0 ? `one of ${[...all.keys()].sort().join(", ")}` : "a plugin, but none is installed";
  throw new NotFoundError(`${field}: expected ${expected}, got "${name}"`, {
    field,
    expected,
    received: name,
    hint: "A plugin is a folder of the same name in the plugins folder, or a package; pluginFailures has those that are broken.",
  });
}

async function pluginFolders(folder: string | URL): Promise<PluginSource[]> {
  const root = folder instanceof URL ? fileURLToPath(folder) : resolve(folder);
  const entries = await readdir(root, { withFileTypes: true }).catch((cause: unknown) => {
    throw new InvalidInputError(`plugins folder: expected a readable folder, got ${root}`, { received: root }, cause);
  });
  return entries.map(({ name }) => pluginFolder(join(root, name), name)).filter((one) => one !== undefined);
}

/** The plugin in a folder; undefined where it has no index file. */
export function pluginFolder(folder: string, name: string): PluginSource | undefined {
  const index = ["index.js", "index.ts"].find((file) => existsSync(join(folder, file)));
  if (index === undefined) return undefined;
  const root = realpathSync(folder);
  return { label: `plugin ${name}`, from: name, module: pathToFileURL(join(root, index)).href, root, name };
}

/** The members of a plugin as far as they can be seen from outside. */
const pluginShape = z.object({
  name: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "expected lower-case words joined by hyphens"),
  paper: z.object({ title: z.string().min(1), venue: z.string().min(1), url: z.url() }),
  summary: z.string().min(1),
  config: z.custom<z.ZodType>((value) => value instanceof z.ZodType, "expected a zod schema"),
  build: z.custom<BackbonePlugin["build"]>((value) => typeof value === "function", "expected a function"),
});

function checkPlugin(source: PluginSource, plugin: unknown): BackbonePlugin {
  if (plugin === undefined) throw invalid(source, "default export", "one object made by definePlugin", "none");
  const shape = pluginShape.safeParse(plugin);
  if (!shape.success) {
    const [issue] = shape.error.issues;
    throw new PluginError(`${source.label}: ${issue!.path.join(".") || "default export"}: ${issue!.message}`);
  }
  const { name, config } = shape.data;
  if (source.name !== undefined && name !== source.name) throw invalid(source, "name", `"${source.name}"`, name);

  const defaults = config.safeParse({});
  if (!defaults.success) {
    const members = defaults.error.issues.map(({ path }) => path.join(".")).join(", ");
    throw invalid(source, "config", "a default for every member", `none for ${members}`);
  }
  try {
    z.toJSONSchema(config, { io: "input" });
  } catch (cause) {
    throw new PluginError(`${source.label}: config: cannot be shown as JSON Schema: ${String(cause)}`, {}, cause);
  }
  return plugin as BackbonePlugin;
}

/** What Node says of TypeScript it cannot run, in words that help. */
export function readableImportError(module: string, error: unknown): unknown {
  const name = basename(module);
  if ((error as { code?: unknown }).code !== "ERR_UNKNOWN_FILE_EXTENSION" || !name.endsWith(".ts")) return error;
  const built = name.replace(/ts$/, "js");
  return new Error(`${name} is TypeScript, which this program cannot run; build it to ${built} beside it`);
}

function invalid({ label }: PluginSource, field: string, expected: string, received: string): PluginError {
  return new PluginError(`${label}: ${field}: expected ${expected}, got ${received}`, {
    field,
    expected,
    received,
  });
}
