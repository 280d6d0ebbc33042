import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { cliReference } from "../../src/cli/help.ts";
import { parseCommandLine } from "../../src/cli/parseCommandLine.ts";
import { runCli } from "../../src/cli/runCli.ts";

async function cli(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: "", err: "" };
  const code = await runCli(words, {
    stdout: { write: (text) => (said.out += text) },
    stderr: { write: (text) => (said.err += text) },
    // Nobody listens there.
    env: { AUTOIFS_URL: "http://127.0.0.1:9" },
  });
  return { code, ...said };
}

describe("autoifs", () => {
  it("shows what there is", async () => {
    const { code, out } = await cli("--help");
    expect(code).toBe(0);
    for (const { name } of commands) expect(out).toContain(`  ${name}`);
    expect(await cli()).toEqual({ code: 2, out, err: "" });
  });

  it("tells of each command how it is used, without asking a server", async () => {
    for (const { name, example } of commands) {
      const { code, out } = await cli(...name.split(" "), "--help");
      expect(code).toBe(0);
      expect(out).toContain(`autoifs ${example}\n`);
    }
  });

  it("gives examples that it understands", () => {
    for (const { name, example } of commands) {
      const words = [...example.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
      expect(parseCommandLine(commands, words).command.name).toBe(name);
    }
  });

  it("is described in docs/cli.md", () => {
    const page = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");
    expect(page, "npm run docs writes it").toBe(cliReference(commands));
  });
});

describe("a command line that cannot be understood", () => {
  it.each([
    ["nothing", 'expected a command, got "nothing"\nSee autoifs --help\n'],
    ["scenario", 'expected one of scenario add, scenario list, got "scenario"\nSee autoifs --help\n'],
    ["scenario add", "scenario add: expected <key>, got none\nSee autoifs scenario add --help\n"],
    ["task list more", "task list: expected no arguments, got more\nSee autoifs task list --help\n"],
    ["plan run_1 --granularity all", /^--granularity: expected ROW, CELL, got "all"\n/],
    ["runs --state GONE", /^--state: expected QUEUED, RUNNING, .*, got "GONE"\n/],
    ["runs --limit few", /^--limit: expected a whole number, got "few"\n/],
    ["prune run_1 --threshold high", /^--threshold: expected a number, got "high"\n/],
    ["runs --unknown", /^runs: Unknown option '--unknown'/],
    ["token create --name me", /^token create: expected --name and --role\n/],
    [
      "token create --name me --role ADMIN --expires soon",
      /^--expires: expected a time such as 2027-01-31, got "soon"\n/,
    ],
  ])("ends `%s` with exit code 2 and says what was expected", async (line, expected) => {
    const { code, out, err } = await cli(...line.split(" "));
    expect({ code, out }).toEqual({ code: 2, out: "" });
    if (typeof expected === "string") expect(err).toBe(expected);
    else expect(err).toMatch(expected);
  });

  it("is told of in JSON where JSON is wanted", async () => {
    const { err } = await cli("runs", "--limit", "few", "--json");
    expect(JSON.parse(err)).toEqual({
      error: { message: '--limit: expected a whole number, got "few"', code: "USAGE" },
    });
  });
});

describe("a command without a server", () => {
  it("says that none answers, after some attempts", async () => {
    expect(await cli("cancel", "run_1")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^http:\/\/127\.0\.0\.1:9: expected a server, got none: .+\n$/),
    });
  });
});
