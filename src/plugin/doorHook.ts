/**
 * The hook by which a plugin outside this project gets the door, and the two packages of its contract, from this program:
 * there is then one tfjs and one zod, however the plugin was installed. It runs in Node's own thread for such hooks.
 */

export interface DoorOptions {
  /** URL of the plugin's folder, with a slash at the end. */
  readonly root: string;
  /** URL of a module of this program, from where the names are resolved. */
  readonly host: string;
}

interface ResolveContext {
  readonly parentURL?: string;
}

interface Resolved {
  readonly url: string;
  readonly format?: string | null;
}

type NextResolve = (specifier: string, context: ResolveContext) => Promise<Resolved>;

let door: DoorOptions;

/** Where this file itself is TypeScript that can be run, so can a plugin's be. */
const modules = import.meta.url.endsWith(".ts") ? /\.[jt]s$/ : /\.js$/;

/** By what a plugin may write, what is resolved for it. */
const names: Readonly<Record<string, string>> = {
  "#plugin": "#plugin",
  "#plugin/testing": "#plugin/testing",
  "autoifs/plugin": "#plugin",
  "autoifs/plugin/testing": "#plugin/testing",
  zod: "zod",
  "@tensorflow/tfjs-core": "@tensorflow/tfjs-core",
  "@tensorflow/tfjs": "@tensorflow/tfjs",
};

export function initialize(options: DoorOptions): void {
  door = options;
}

export async function resolve(specifier: string, context: ResolveContext, next: NextResolve): Promise<Resolved> {
  const name = isOfPlugin(context.parentURL) ? names[specifier] : undefined;
  if (name !== undefined) return next(name, { ...context, parentURL: door.host });
  const resolved = await next(specifier, context);
  // Its files are modules, also where no package.json says so.
  return isOfPlugin(resolved.url) && modules.test(resolved.url) ? { ...resolved, format: "module" } : resolved;
}

/** Packages of its own, which lie below it, are left alone. */
function isOfPlugin(url: string | undefined): boolean {
  return url !== undefined && url.startsWith(door.root) && !url.slice(door.root.length).includes("node_modules/");
}
