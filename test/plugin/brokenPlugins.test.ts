import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PluginError } from "../../src/errors.ts";
import { loadPlugins } from "../../src/plugin/registry.ts";

const zod = JSON.stringify(import.meta.resolve("zod"));

/** The source of a plugin; `members` come last and win. */
function source(name: string, members = ""): string {
  return `
    import { z } from ${zod};
    export default {
      name: "${name}",
      paper: { title: "A title", venue: "A venue", url: "https://example.org/paper" },
      summary: "One sentence.",
      config: z.strictObject({ width: z.int().default(8).describe("Width.") }),
      build: () => ({}),
      ${members}
    };`;
}

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "plugins-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function write(name: string, text: string): Promise<void> {
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, "index.js"), text);
}

/** The message about the one broken plugin. */
async function failureOf(name: string, text: string): Promise<string> {
  await write(name, text);
  const { plugins, failures } = await loadPlugins(folder);
  expect(plugins.size).toBe(0);
  expect(failures.map(({ from }) => from)).toEqual([name]);
  expect(failures[0]!.error).toBeInstanceOf(PluginError);
  return failures[0]!.error.message;
}

describe("a broken plugin", () => {
  it("does not keep the others out", async () => {
    await write("broken", "throw new Error('boom');");
    await write("sound", source("sound"));
    const { plugins, failures } = await loadPlugins(folder);
    expect([...plugins.keys()]).toEqual(["sound"]);
    expect(failures.map(({ error }) => error.message)).toEqual(["plugin broken: import: boom (broken/index.js:1)"]);
  });

  it("has no default export", async () => {
    expect(await failureOf("lost", "export const plugin = {};")).toBe(
      "plugin lost: default export: expected one object made by definePlugin, got none",
    );
  });

  it("has a default export that is no object", async () => {
    expect(await failureOf("text", "export default 'mmoe';")).toMatch(
      "plugin text: default export: Invalid input: expected object, received string",
    );
  });

  it("is not named as its folder", async () => {
    expect(await failureOf("renamed", source("mmoe"))).toBe('plugin renamed: name: expected "renamed", got mmoe');
  });

  it("has a name that is not lower-case words joined by hyphens", async () => {
    expect(await failureOf("My_Model", source("My_Model"))).toBe(
      "plugin My_Model: name: expected lower-case words joined by hyphens",
    );
  });

  it("lacks a member", async () => {
    expect(await failureOf("bare", source("bare", "build: undefined"))).toBe("plugin bare: build: expected a function");
  });

  it("has a paper without an address", async () => {
    expect(await failureOf("paperless", source("paperless", "paper: { title: 'A', venue: 'B', url: 'none' }"))).toBe(
      "plugin paperless: paper.url: Invalid URL",
    );
  });

  it("has a configuration that is no schema", async () => {
    expect(await failureOf("plain", source("plain", "config: { width: 8 }"))).toBe(
      "plugin plain: config: expected a zod schema",
    );
  });

  it("has a configuration without a default", async () => {
    expect(await failureOf("needy", source("needy", "config: z.object({ width: z.int(), depth: z.int() })"))).toBe(
      "plugin needy: config: expected a default for every member, got none for width, depth",
    );
  });

  it("has a configuration that no JSON Schema can show", async () => {
    const text = source("hidden", "config: z.object({ width: z.date().default(new Date(0)) })");
    expect(await failureOf("hidden", text)).toMatch("plugin hidden: config: cannot be shown as JSON Schema");
  });
});

describe("loadPlugins", () => {
  it("passes over folders without an index file, and files", async () => {
    await mkdir(join(folder, "notes"));
    await writeFile(join(folder, "README.md"), "");
    await write("sound", source("sound"));
    const { plugins, failures } = await loadPlugins(folder);
    expect([[...plugins.keys()], failures]).toEqual([["sound"], []]);
  });

  it("reports a package that is not installed", async () => {
    await write("a", source("a"));
    const { plugins, failures } = await loadPlugins(folder, ["no-such-package"]);
    expect([...plugins.keys()]).toEqual(["a"]);
    expect(failures[0]!.error.message).toBe(
      "plugin package no-such-package: expected a package that is installed here, but there is none of that name",
    );
  });

  it("refuses a folder that is not there", async () => {
    const missing = join(folder, "missing");
    await expect(loadPlugins(missing)).rejects.toThrow(`plugins folder: expected a readable folder, got ${missing}`);
  });
});
