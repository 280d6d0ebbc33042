import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findPackage } from "../../../src/plugin/findPackage.ts";
import { importPlugins } from "../../../src/plugin/registry.ts";
import { provenPlugins } from "../../../src/services/plugins/provenPlugins.ts";
import { pluginText } from "./madePlugins.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "autoifs-packages-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function install(name: string, manifest: object, files: Readonly<Record<string, string>>): Promise<void> {
  const root = join(folder, "node_modules", name);
  for (const [file, text] of Object.entries({ "package.json": JSON.stringify({ name, ...manifest }), ...files })) {
    await mkdir(join(root, file, ".."), { recursive: true });
    await writeFile(join(root, file), text);
  }
}

describe("a plugin from a package", () => {
  it("gets the door, tfjs and zod of this program, even where it brought its own", async () => {
    const fake = { "node_modules/zod/package.json": `{ "name": "zod", "main": "none.js" }` };
    const both = pluginText("from-a-package").replace(
      "void tf;",
      `import * as door from "#plugin"; import { z as other } from "zod";
       if (door.definePlugin !== definePlugin || other !== z) throw new Error("two doors");`,
    );
    const exports = { ".": { types: "./dist/index.d.ts", import: "./dist/index.js" } };
    await install("@someone/plugin", { type: "module", exports }, { "dist/index.js": both, ...fake });
    const { root, file } = findPackage("@someone/plugin", [join(folder, "below", "it")]);
    const from = "@someone/plugin";
    const source = { label: `plugin package ${from}`, from, module: pathToFileURL(file).href, root };
    const { proven, failures } = await provenPlugins([source], 60);
    expect([proven, failures]).toEqual([[source], []]);
    // In this process too.
    const { plugins } = await importPlugins([source, { ...source, from: "again" }], []);
    expect([...plugins.keys()]).toEqual(["from-a-package"]);
  });

  it("is found by exports, main or index.js", async () => {
    await install("a", { exports: "./a.js" }, {});
    await install("b", { exports: { require: "./b.cjs", default: "./b.js" } }, {});
    await install("c", { main: "lib/c.js" }, {});
    await install("d", {}, {});
    const files = ["a", "b", "c", "d"].map((name) => findPackage(name, [folder]).file.slice(folder.length));
    expect(files).toEqual(["a/a.js", "b/b.js", "c/lib/c.js", "d/index.js"].map((file) => `/node_modules/${file}`));
  });

  it("has to be installed, and to have something to import", async () => {
    await install("empty", { exports: { "./other": "./x.js" } }, {});
    expect(() => findPackage("none", [folder])).toThrow(
      "plugin package none: expected a package that is installed here, but there is none of that name",
    );
    expect(() => findPackage("empty", [folder])).toThrow(
      "plugin package empty: package.json: expected exports with a main module to import, got none",
    );
  });
});
