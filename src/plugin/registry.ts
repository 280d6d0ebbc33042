/**
 * Finds the backbones: every folder with an index file, and the packages named in the configuration. It knows none by
 * name, and one that is broken does not keep the others out.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { z } from "zod";
import { InvalidInputError, NotFoundError, type ProductError } from "../errors.ts";
import type { BackbonePlugin } from "./contract.ts";

/** A folder or package that gave no usable plugin, and why; the message of the error names it. */
export interface PluginFailure {
  readonly source: string;
  readonly error: ProductError;
}

export interface LoadedPlugins {
  /** By name, in alphabetical order. */
  readonly plugins: ReadonlyMap<string, BackbonePlugin>;
  readonly failures: readonly PluginFailure[];
}

/**
 * Loads `<folder>/<name>/index.js` (or `index.ts`, where the process can run it) of every sub-folder that has one, and
 * then the packages. Throws InvalidInputError only where the folder itself cannot be read.
 */
export async function loadPlugins(folder: string | URL, packages: readonly string[] = []): Promise<LoadedPlugins> {
  const sources = [
    ...(await pluginFolders(folder)),
    ...packages.map((name): Source => ({ label: `plugin package ${name}`, module: name })),
  ];
  const found = new Map<string, BackbonePlugin>();
  const failures: PluginFailure[] = [];
  for (const source of sources) {
    try {
      const plugin = await loadPlugin(source);
      if (found.has(plugin.name)) throw invalid(source, "name", "a name that no other plugin has", plugin.name);
      found.set(plugin.name, plugin);
    } catch (error) {
      failures.push({ source: source.label, error: error as ProductError });
    }
  }
  const inOrder = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  return { plugins: new Map(inOrder), failures };
}

/** The plugin of that name; throws NotFoundError, listing the names there are. `field` is the input that named it. */
export function backbonePlugin(
  plugins: ReadonlyMap<string, BackbonePlugin>,
  name: string,
  field = "backbone.name",
): BackbonePlugin {
  const plugin = plugins.get(name);
  if (plugin) return plugin;
  const expected = plugins.size > 0 ? `one of ${[...plugins.keys()].join(", ")}` : "a plugin, but none is installed";
  throw new NotFoundError(`${field}: expected ${expected}, got "${name}"`, {
    field,
    expected,
    received: name,
    hint: "A plugin is a folder of the same name in the plugins folder.",
  });
}

interface Source {
  /** For messages. */
  readonly label: string;
  /** What `import` is given. */
  readonly module: string;
  /** The name the plugin must have; packages may have any. */
  readonly name?: string;
}

async function pluginFolders(folder: string | URL): Promise<Source[]> {
  const root = folder instanceof URL ? fileURLToPath(folder) : resolve(folder);
  const entries = await readdir(root, { withFileTypes: true }).catch((cause: unknown) => {
    throw new InvalidInputError(`plugins folder: expected a readable folder, got ${root}`, { received: root }, cause);
  });
  return entries.flatMap((entry): Source[] => {
    const index = ["index.js", "index.ts"].map((file) => join(root, entry.name, file)).find(existsSync);
    if (index === undefined) return [];
    return [{ label: `plugin folder ${join(root, entry.name)}`, module: pathToFileURL(index).href, name: entry.name }];
  });
}

/** The members of a plugin as far as they can be seen from outside. */
const pluginShape = z.object({
  name: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "expected lower-case words joined by hyphens"),
  paper: z.object({ title: z.string().min(1), venue: z.string().min(1), url: z.url() }),
  summary: z.string().min(1),
  config: z.custom<z.ZodType>((value) => value instanceof z.ZodType, "expected a zod schema"),
  build: z.custom<BackbonePlugin["build"]>((value) => typeof value === "function", "expected a function"),
});

async function loadPlugin(source: Source): Promise<BackbonePlugin> {
  const module = await import(/* @vite-ignore */ source.module).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidInputError(`${source.label}: could not be imported: ${reason}`, {}, cause);
  });
  const plugin = (module as { readonly default?: unknown }).default;
  if (plugin === undefined) throw invalid(source, "default export", "one object made by definePlugin", "none");

  const shape = pluginShape.safeParse(plugin);
  if (!shape.success) {
    const [issue] = shape.error.issues;
    throw new InvalidInputError(`${source.label}: ${issue!.path.join(".") || "default export"}: ${issue!.message}`);
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
    throw new InvalidInputError(`${source.label}: config: cannot be shown as JSON Schema: ${String(cause)}`, {}, cause);
  }
  return plugin as BackbonePlugin;
}

function invalid({ label }: Source, field: string, expected: string, received: string): InvalidInputError {
  return new InvalidInputError(`${label}: ${field}: expected ${expected}, got ${received}`, {
    field,
    expected,
    received,
  });
}
