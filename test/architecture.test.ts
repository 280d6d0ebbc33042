/** The rules of the house as tests: who may import whom, which package lives where, how a file looks. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

/**
 * What a part of src (a folder, or the file of that name) may import besides itself and Node. An entry
 * `type <file>` allows that one file, for its types alone. Top to bottom nothing imports what stands below it.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  // The ground.
  errors: [],
  random: [],
  largeFile: [],
  programFile: [],
  fieldLayout: [],
  taskConditions: [],
  // One thing each, without knowledge of the product.
  config: ["errors", "type observe/logger.ts"],
  data: ["errors", "random", "fieldLayout", "taskConditions"],
  metrics: ["errors", "random"],
  engine: ["errors"],
  plugin: ["errors", "programFile"],
  // The model, its training, its use. None of them knows a database or an API.
  model: ["errors", "random", "fieldLayout", "taskConditions", "plugin", "type data/spec.ts"],
  serving: ["errors", "random", "fieldLayout", "taskConditions", "engine", "plugin", "model", "type data/spec.ts"],
  training: [
    "errors",
    "random",
    "fieldLayout",
    "taskConditions",
    "data",
    "metrics",
    "engine",
    "plugin",
    "model",
    "serving",
  ],
  // What the author of a plugin tests it with.
  conformance: ["errors", "random", "engine", "plugin", "model"],
  // What is stored, and what waits to be done.
  store: ["errors", "largeFile"],
  observe: ["store"],
  jobs: ["errors", "store", "observe"],
  // What the product does, and how it is asked.
  services: [
    "errors",
    "largeFile",
    "programFile",
    "random",
    "fieldLayout",
    "taskConditions",
    "data",
    "metrics",
    "engine",
    "plugin",
    "model",
    "training",
    "serving",
    "conformance",
    "store",
    "jobs",
  ],
  loaders: ["store"],
  context: ["loaders", "services"],
  graphql: ["errors", "context"],
  // The composition root, and the entry points of processes and threads.
  app: [
    "errors",
    "config",
    "data",
    "engine",
    "plugin",
    "serving",
    "store",
    "observe",
    "jobs",
    "services",
    "loaders",
    "context",
  ],
  trainingThread: ["errors", "config", "data", "plugin", "training", "store", "app"],
  worker: ["errors", "config", "jobs", "app", "services"],
  server: ["errors", "programFile", "config", "observe", "context", "graphql", "app"],
  // What others import, and what a person types.
  client: [],
  cli: ["errors", "config", "app", "server", "worker", "client"],
};

/** The only parts of src that may import a package; one that is not listed may be imported nowhere. */
const packages: Readonly<Record<string, readonly string[]>> = {
  zod: ["config", "conformance", "plugin", "model", "training", "data", "services"],
  "@tensorflow/tfjs-core": ["conformance", "plugin", "model", "engine", "training", "serving"],
  "@tensorflow/tfjs": ["conformance", "engine"],
  "@tensorflow/tfjs-backend-wasm": ["engine"],
  "@tensorflow/tfjs-node": ["engine"],
  "onnxruntime-node": ["engine"],
  "@duckdb/node-api": ["data"],
  "apache-arrow": ["data"],
  "@prisma/client": ["store"],
  "@prisma/adapter-libsql": ["store"],
  "@libsql/client": ["store"],
  libsql: ["store"],
  graphql: ["graphql", "server"],
  "graphql-ws": ["server"],
  ws: ["server"],
  dataloader: ["loaders"],
  "@graphql-typed-document-node/core": ["client"],
  "@apollo/server": ["graphql", "server"],
  "@graphql-yoga/render-graphiql": ["server"],
  pino: ["observe"],
  "prom-client": ["observe"],
  "@opentelemetry/api": ["observe"],
  "@opentelemetry/exporter-trace-otlp-http": ["observe"],
  "@opentelemetry/resources": ["observe"],
  "@opentelemetry/sdk-trace-base": ["observe"],
};

/** What a plugin may import besides files of its own folder; what it shows the contract for stands in its contract.ts. */
const pluginMayImport = ["#plugin", "zod", "@tensorflow/tfjs-core"];
const contractMayImport = [...pluginMayImport, "#plugin/testing"];

const longest = 300;
const generated = ["src/store/client/", "src/graphql/generated.ts", "src/client/generated.ts"];

const root = fileURLToPath(new URL("..", import.meta.url));

interface Import {
  /** As written: a relative path, a package, `node:...` or `#plugin`. */
  readonly specifier: string;
  readonly typeOnly: boolean;
}

interface SourceFile {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

const sources = filesBelow("src");
const plugins = filesBelow("plugins").filter(({ path }) => !path.endsWith(".test.ts"));

describe("imports", () => {
  it("follow the table of who may import whom", () => {
    expect(sources.flatMap(forbiddenImports)).toEqual([]);
  });

  it("reach a package only from its place", () => {
    const astray = sources.flatMap((file) =>
      file.imports
        .filter(
          ({ specifier }) =>
            isPackage(specifier) &&
            !(specifier === "vitest" && partOf(file.path) === "conformance") &&
            !packages[packageOf(specifier)]?.includes(partOf(file.path)),
        )
        .map(({ specifier }) => `${file.path} imports ${specifier}`),
    );
    expect(astray).toEqual([]);
  });

  it("make no circle among files", () => {
    expect(circles([...sources, ...plugins])).toEqual([]);
  });

  it("of a plugin are the one door, its own folder and two packages", () => {
    const astray = plugins.flatMap(({ path, imports }) => {
      const folder = path.split("/").slice(0, 2).join("/");
      const allowed = path === `${folder}/contract.ts` ? contractMayImport : pluginMayImport;
      return imports
        .filter(({ specifier }) =>
          specifier.startsWith(".")
            ? !resolved(path, specifier).startsWith(`${folder}/`)
            : !allowed.includes(specifier),
        )
        .map(({ specifier }) => `${path} imports ${specifier}`);
    });
    expect(astray).toEqual([]);
  });
});

describe("the table of imports", () => {
  it("names every part of src, and runs from top to bottom", () => {
    const parts = Object.keys(mayImport);
    expect([...new Set(sources.map(({ path }) => partOf(path)))].filter((part) => !parts.includes(part))).toEqual([]);
    const upward = Object.entries(mayImport).flatMap(([part, allowed]) =>
      allowed.filter((other) => !other.startsWith("type ") && parts.indexOf(other) >= parts.indexOf(part)),
    );
    expect(upward).toEqual([]);
  });

  it("gives every dependency of package.json a place", () => {
    const { dependencies, optionalDependencies } = JSON.parse(
      readFileSync(join(root, "package.json"), "utf8"),
    ) as Record<"dependencies" | "optionalDependencies", Record<string, string>>;
    expect(Object.keys(packages).sort()).toEqual(Object.keys({ ...dependencies, ...optionalDependencies }).sort());
  });
});

describe("a source file", () => {
  const files = [...sources, ...plugins];

  it(`has at most ${longest} lines`, () => {
    const long = files.map(({ path, text }) => ({ path, lines: text.trimEnd().split("\n").length }));
    expect(long.filter(({ lines }) => lines > longest)).toEqual([]);
  });

  it("says in its first lines what it is", () => {
    expect(files.filter(({ text }) => !/^(#!.*\n)?\/[/*]/.test(text)).map(({ path }) => path)).toEqual([]);
  });

  it("has named exports only; a plugin's index.ts default-exports the plugin", () => {
    const withDefault = files.filter(({ text }) => /^export default\b/m.test(text)).map(({ path }) => path);
    expect(withDefault.filter((path) => !/^plugins\/[^/]+\/index\.ts$/.test(path))).toEqual([]);
  });

  it("reads the environment in config.ts only", () => {
    const readers = files.filter(({ text }) => /\bprocess\.env\b/.test(withoutComments(text))).map(({ path }) => path);
    expect(readers.filter((path) => path !== "src/config.ts")).toEqual([]);
  });

  it("of the core names no plugin", () => {
    const names = new Set(plugins.map(({ path }) => path.split("/")[1]!));
    const naming = sources.filter(({ text }) => [...names].some((name) => withoutComments(text).includes(`"${name}"`)));
    expect(naming.map(({ path }) => path)).toEqual([]);
  });
});

describe("the check of imports", () => {
  const file = (path: string, text: string): SourceFile => ({ path, text, imports: importsOf(text) });

  it("allows what the table allows, types of one file included", () => {
    expect(forbiddenImports(file("src/services/a.ts", 'import { b } from "../store/b.ts";'))).toEqual([]);
    expect(forbiddenImports(file("src/model/a.ts", 'import type { B } from "../data/spec.ts";'))).toEqual([]);
  });

  it("catches a part that may not be imported, values where types are allowed, the plugins' door, and what is outside", () => {
    const caught = [
      file("src/data/a.ts", 'import { b } from "../store/b.ts";'),
      file("src/model/a.ts", 'import { splits } from "../data/spec.ts";'),
      file("src/model/a.ts", 'import { mlp } from "#plugin";'),
      file("src/services/a.ts", 'import mmoe from "../../plugins/mmoe/index.ts";'),
    ].flatMap(forbiddenImports);
    expect(caught).toEqual([
      "src/data/a.ts imports ../store/b.ts",
      "src/model/a.ts imports ../data/spec.ts",
      "src/model/a.ts imports #plugin",
      "src/services/a.ts imports ../../plugins/mmoe/index.ts",
    ]);
  });

  it("finds a circle", () => {
    const a = file("src/data/a.ts", 'import { b } from "./b.ts";');
    const b = file("src/data/b.ts", 'import { c } from "./c.ts";');
    const c = file("src/data/c.ts", 'import type { B } from "./b.ts";');
    expect(circles([a, b, c])).toEqual([["src/data/b.ts", "src/data/c.ts", "src/data/b.ts"]]);
  });
});

describe("the reader of imports", () => {
  it("finds every form, over several lines too, and tells types from values", () => {
    const text = [
      'import { a } from "./a.ts";',
      "import {",
      "  b,",
      "  type C,",
      '} from "b";',
      'import type { D } from "@scope/d/deep";',
      'import "./effect.ts";',
      'export * from "./e.ts";',
      'export type { F } from "./f.ts";',
      'const g = await import("g");',
      "export const h = 1;",
    ].join("\n");
    expect(importsOf(text)).toEqual([
      { specifier: "./a.ts", typeOnly: false },
      { specifier: "b", typeOnly: false },
      { specifier: "@scope/d/deep", typeOnly: true },
      { specifier: "./effect.ts", typeOnly: false },
      { specifier: "./e.ts", typeOnly: false },
      { specifier: "./f.ts", typeOnly: true },
      { specifier: "g", typeOnly: false },
    ]);
  });

  it("passes over comments and strings", () => {
    const text = [
      '// import { a } from "a";',
      '/* import "b"; */',
      'const url = "http://c"; const text = \'import "d"\';',
      '/** See import("e"). */',
    ].join("\n");
    expect(importsOf(text)).toEqual([]);
  });
});

function forbiddenImports({ path, imports }: SourceFile): string[] {
  const part = partOf(path);
  return imports
    .filter(({ specifier }) => !isPackage(specifier) && !specifier.startsWith("node:"))
    .filter(({ specifier, typeOnly }) => {
      if (!specifier.startsWith(".")) return true; // `#plugin` is for plugins
      const target = resolved(path, specifier);
      const allowed = mayImport[part] ?? [];
      const asType = typeOnly && allowed.includes(`type ${target.replace("src/", "")}`);
      return !target.startsWith("src/") || !(partOf(target) === part || allowed.includes(partOf(target)) || asType);
    })
    .map(({ specifier }) => `${path} imports ${specifier}`);
}

/** Every circle once, as the list of files that a walk through it visits. */
function circles(files: readonly SourceFile[]): string[][] {
  const targets = new Map(
    files.map(({ path, imports }) => [
      path,
      imports.filter(({ specifier }) => specifier.startsWith(".")).map(({ specifier }) => resolved(path, specifier)),
    ]),
  );
  const done = new Set<string>();
  const found: string[][] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path]);
    if (trail.includes(path) || done.has(path)) return;
    for (const target of targets.get(path) ?? []) walk(target, [...trail, path]);
    done.add(path);
  };
  for (const path of targets.keys()) walk(path, []);
  return found;
}

function filesBelow(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((file) => join(folder, file).replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts") && !generated.some((prefix) => path.startsWith(prefix)))
    .sort()
    .map((path) => {
      const text = readFileSync(join(root, path), "utf8");
      return { path, text, imports: importsOf(text) };
    });
}

/** Statements begin at the margin, as the formatter puts them; a dynamic import counts where its target is a string. */
function importsOf(text: string): Import[] {
  const code = withoutComments(text);
  const statement = /^(?:import|export)\s+(type\s)?(?:[\w$*\s{},]*?\sfrom\s+)?"([^"\n]+)"|\bimport\(\s*"([^"\n]+)"/gm;
  return [...code.matchAll(statement)].map(([, type, declared, dynamic]) => ({
    specifier: declared ?? dynamic!,
    typeOnly: type !== undefined,
  }));
}

/** Strings are read first, so that `//` inside one is no comment. */
function withoutComments(text: string): string {
  const stringOrComment = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(stringOrComment, (_, string?: string) => string ?? "");
}

function isPackage(specifier: string): boolean {
  return !/^(\.|#|node:)/.test(specifier);
}

/** `@scope/name/deep` → `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

/** `src/data/spec.ts` → `data`, `src/errors.ts` → `errors`. */
function partOf(path: string): string {
  return path.split("/")[1]!.replace(/\.ts$/, "");
}

/** The file that `specifier` means in the file `path`, from the root. */
function resolved(path: string, specifier: string): string {
  return relative(root, join(root, dirname(path), specifier)).replaceAll("\\", "/");
}
