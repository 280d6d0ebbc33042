/** The commands against a server without workers of its own: the one that works is `autoifs worker`, a process. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/runCli.ts";
import { programFile } from "../builtProgram.ts";
import { smallCsv, smallInput } from "../server/smallDataset.ts";
import { autoIfs, hyperParameters } from "../server/smallModels.ts";
import { writePlugins } from "../services/plugins/madePlugins.ts";
import { startTestServer } from "../server/testServer.ts";
import type { TestServer } from "../server/testServer.ts";

let folder: string;
let server: TestServer;
let worker: ChildProcess;
/** Made on the way by the commands. */
let dataset: string;
let search: string;
let pruned: string;

const main = fileURLToPath(programFile(import.meta.url, "../../src/cli/main").url);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "autoifs-cli-"));
  const data = join(folder, "data");
  server = await startTestServer({ folder: data });
  worker = spawn(process.execPath, [main, "worker"], {
    env: { ...process.env, AUTOIFS_DATA: data, AUTOIFS_PLUGIN_TRIAL_SECONDS: "0" },
    stdio: "ignore",
  });
  const { file: _, ...spec } = smallInput;
  await Promise.all([
    writeFile(join(folder, "small.csv"), smallCsv()),
    writeFile(join(folder, "small.json"), JSON.stringify(spec)),
    writeFile(join(folder, "train.json"), JSON.stringify({ head: autoIfs, hyperParameters })),
    writeFile(join(folder, "rows.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join("")),
  ]);
});

afterAll(async () => {
  worker.kill("SIGKILL");
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const rows = ["home", "search", "home"].map((scenario, i) => ({
  scenario,
  values: { user: i === 2 ? "nobody" : "u1", item: "i0", age: 30 },
}));

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `line` is split at its spaces; `$` stands for the test's folder. */
async function cli(line: string, { interrupted = false } = {}): Promise<Said> {
  const said = { out: "", err: "" };
  const code = await runCli(
    line.split(" ").map((word) => word.replace("$", folder)),
    {
      stdout: { write: (text) => (said.out += text) },
      stderr: { write: (text) => (said.err += text) },
      env: { AUTOIFS_URL: server.url, AUTOIFS_DATA: join(folder, "data") },
      onInterrupt(listener) {
        if (interrupted) setTimeout(listener, 0);
        return () => undefined;
      },
    },
  );
  return { code, ...said };
}

// What it says is compared or taken apart.
// oxlint-disable-next-line no-explicit-any
async function json(line: string): Promise<any> {
  const { code, out, err } = await cli(`${line} --json`);
  if (code !== 0) throw new Error(`${line}: exit code ${code}: ${err}`);
  return JSON.parse(out);
}

describe("autoifs scenario and task", () => {
  it("add and list", async () => {
    const { code, out, err } = await cli("scenario add home --name Home");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^home is registered: sc\w*_\w+\n$/);
    for (const line of ["scenario add search", "task add click", "task add like --description Thumbs"]) await cli(line);
    expect((await cli("scenario list")).out).toMatch(
      /^key +name +id +description\n─+\nhome +Home .*\nsearch +search .*\n$/,
    );
    expect(await json("task list")).toMatchObject([{ key: "click" }, { key: "like", description: "Thumbs" }]);
  });

  it("say why something is refused, on stderr, with exit code 1", async () => {
    const { code, out, err } = await cli("scenario add home");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^scenario home: expected a new key.*\n\(CONFLICT, request [0-9a-f-]+\)\n$/s);
    const asJson = await cli("scenario add home --json");
    expect(asJson.out).toBe("");
    expect(JSON.parse(asJson.err)).toMatchObject({ error: { code: "CONFLICT", field: "input.key" } });
  });
});

describe("autoifs dataset", () => {
  it("uploads a file, and waits until a worker has imported it", async () => {
    const added = await json("dataset add $/small.csv --spec $/small.json --wait");
    expect(added).toMatchObject({ status: "READY", version: 1, source: "uploads/small.csv" });
    dataset = added.id;
    expect((await cli(`dataset show ${dataset}`)).out).toMatch(/test +home +click +\d+ +\d+\n/);
  });

  it("asks for the description of the file", async () => {
    expect(await cli("dataset add $/small.csv")).toMatchObject({ code: 2, err: expect.stringContaining("--spec") });
    expect(await cli("dataset add $/none.csv --spec $/small.json")).toMatchObject({
      code: 1,
      err: `${folder}/none.csv: expected a file, got none\n`,
    });
  });
});

describe("autoifs train, prune and predict", () => {
  it("waits for a training, with a line per epoch", async () => {
    const { code, out, err } = await cli(`train ${dataset} --backbone shared-bottom --input $/train.json --wait`);
    expect({ code, err }).toEqual({
      code: 0,
      err: expect.stringMatching(
        /^QUEUED\nRUNNING\nsearch epoch 1\/2: validation AUC [\d.]+\nsearch epoch 2\/2: .*\nSUCCEEDED\n$/,
      ),
    });
    expect(out).toMatch(/state +SUCCEEDED/);
    expect(out).toMatch(/home +click +[\d.]+ +[\d.]+ +\d+\n/);
    search = /run_\w+/.exec(out)![0];
  });

  it("prunes", async () => {
    const run = await json(`prune ${search} --threshold 0.4 --wait`);
    pruned = run.id;
    expect(run).toMatchObject({
      kind: "PRUNE",
      state: "SUCCEEDED",
      pruneThreshold: 0.4,
      parent: { id: search },
    });
  });

  it("predicts rows of a file, and tells what the model does not know", async () => {
    const { out } = await cli(`predict ${search} --rows $/rows.jsonl`);
    expect(out).toMatch(
      /^row +scenario +click +like\n─+\n *1 +home +0\.\d{4} +0\.\d{4}\n *2 +search .*\n *3 +home .*\nuser: 1 rows have/,
    );
    const { rows: predicted, unknownValues } = await json(`predict ${search} --rows $/rows.jsonl`);
    expect(predicted).toHaveLength(3);
    expect(unknownValues).toEqual([{ column: "user", rows: 1 }]);
  });
});

describe("autoifs runs and compare", () => {
  it("list runs by what they are, the newest first", async () => {
    expect((await json("runs")).map(({ kind }: { kind: string }) => kind)).toEqual(["PRUNE", "SEARCH"]);
    expect((await cli("runs --kind prune")).out.split("\n")).toHaveLength(4);
    expect(await json(`runs --limit 1 --dataset ${dataset} --state SUCCEEDED`)).toHaveLength(1);
    expect((await cli("runs --backbone none")).out).toBe("There are no such runs.\n");
  });

  it("compare one run with another", async () => {
    const { out } = await cli(`compare ${search} ${pruned}`);
    expect(out).toMatch(/home +click +[\d.]+ +[\d.]+ +[A-Z_]+ +[\d.]+/);
    expect(out).toMatch(/AUC: better in \d, worse in \d, within noise in \d cells\n$/);
    expect(await json(`compare ${search} ${pruned} --split validation`)).toMatchObject({ split: "VALIDATION" });
  });
});

describe("autoifs model", () => {
  it("registers, makes versions, moves and removes aliases, and shows them", async () => {
    expect((await cli("model register ranker --name Ranker")).out).toMatch(/^mdl_\w+ \(ranker\) is registered\n$/);
    for (const run of [search, pruned]) await json(`model version ranker ${run}`);
    expect((await cli(`model version ranker ${search}`)).out).toBe("version 1 of ranker was made before\n");
    expect((await cli("model alias ranker champion 2 --expect 0")).out).toBe("ranker@champion is version 2\n");
    expect(await cli("model alias ranker champion 1 --expect 1")).toMatchObject({ code: 1 });
    expect((await cli("model list")).out).toMatch(/\nranker +2 +champion → 2 +\d/);
    expect((await cli("model show ranker")).out).toMatch(/\n +2 +run_\w+ +champion +.*\n +1 +run_/);
    const exported = await cli(`model export ranker@champion --scenario home --out ${join(folder, "home.onnx")}`);
    expect(exported.out).toMatch(/home\.onnx: \d+ bytes; differs from the model by at most [\d.e-]+ on \d+ rows\n$/);
    expect((await stat(join(folder, "home.onnx"))).size).toBe(Number(/(\d+) bytes/.exec(exported.out)![1]));
    expect((await cli("model alias ranker champion --remove")).out).toBe("champion of ranker is gone\n");
    expect(await cli("model alias ranker champion")).toMatchObject({ code: 2 });
  });
});

describe("autoifs worker", () => {
  it("ends when it is asked to", async () => {
    worker.kill("SIGTERM");
    expect(await once(worker, "exit")).toEqual([0, null]);
  });
});

describe("autoifs without a worker", () => {
  it("leaves the run alive at Ctrl-C, and says how to go on", async () => {
    const line = `train ${dataset} --backbone shared-bottom --seed 2 --wait`;
    const { code, out, err } = await cli(line, { interrupted: true });
    expect({ code, out }).toEqual({ code: 130, out: "" });
    const [, run] = /(run_\w+) goes on\. Follow it: autoifs run \1 --wait\. End it: autoifs cancel \1\n$/.exec(err)!;
    expect(await json(`run ${run}`)).toMatchObject({ state: "QUEUED", seed: 2 });
    for (const [move, state] of [
      ["pause", "PAUSED"],
      ["resume", "QUEUED"],
      ["cancel", "CANCELLED"],
    ]) {
      expect((await cli(`${move} ${run}`)).out).toBe(`${run} is ${state}\n`);
    }
    expect((await cli(`run ${run} --wait`)).code).toBe(1);
    expect(await cli(`cancel ${run}`)).toMatchObject({ code: 1, err: expect.stringContaining("CONFLICT") });
  });

  it("takes a file below the data folder where it is", async () => {
    await server.put("other.csv", `${smallCsv()}u1,i1,30,0,1,0,train\n`);
    expect(await json(`dataset add ${server.files}/other.csv --spec $/small.json`)).toMatchObject({
      source: "other.csv",
    });
    const { out } = await cli("dataset list");
    expect(
      out
        .split("\n")
        .slice(2, 4)
        .map((line) => line.split(/ {2,}/)[4]),
    ).toEqual(["other.csv", "uploads/small.csv"]);
  });
});

describe("autoifs plugins", () => {
  it("lists the backbones", async () => {
    expect((await cli("plugins")).out).toMatch(/^name +what it is +published\n/);
    expect((await json("plugins")).map(({ name }: { name: string }) => name)).toContain("mmoe");
  });

  it("check shows a plugin the contract, line by line, and fails where a rule is broken", async () => {
    const { folder: plugins, remove } = await writePlugins({ odd: { atForward: 'throw new Error("boom");' } });
    const { code, out } = await cli(`plugins check ${plugins}/odd`);
    expect(code).toBe(1);
    expect(out.split("\n").slice(0, 3)).toEqual([
      "ok      defaults: has a strict configuration whose every member has a default and a description",
      "failed  defaults: builds and runs with its defaults at an ordinary size",
      "        plugin odd: forward: boom (odd/index.js:13)",
    ]);
    expect(out).toMatch(/\nodd: breaks \d+ of \d+ rules\n$/);
    await remove();
  });

  it("check refuses a folder without a plugin", async () => {
    const { code, err } = await cli("plugins check $");
    expect([code, err]).toEqual([
      1,
      `folder: expected a folder with index.js, index.ts or package.json, got ${folder}\n`,
    ]);
  });
});

describe("autoifs token", () => {
  it("asks a server that is named, and needs the token from then on", async () => {
    const made = await json("token create --name maria --role admin --expires 2100-01-01");
    expect(made).toMatchObject({ name: "maria", role: "ADMIN", expiresAt: "2100-01-01T00:00:00.000Z" });
    expect(await cli("token list")).toMatchObject({ code: 1, err: expect.stringContaining("UNAUTHENTICATED") });
    const { out } = await cli(`token list --token ${made.secret}`);
    expect(out).toMatch(new RegExp(`${made.id} +maria +ADMIN +valid +2100-01-01 00:00:00 +\\d{4}`));

    const other = await json(`token create --name guest --role VIEWER --token ${made.secret}`);
    const { out: revoked } = await cli(`token revoke ${other.id} --token ${made.secret}`);
    expect(revoked).toBe(`${other.id} (guest) is revoked\n`);
  });

  it("writes the first one into the data folder where no server is named", async () => {
    const empty = join(folder, "empty");
    let out = "";
    const code = await runCli(["token", "create", "--name", "first", "--role", "ADMIN", "--json"], {
      stdout: { write: (text) => (out += text) },
      stderr: process.stderr,
      env: { AUTOIFS_DATA: empty },
    });
    expect(code).toBe(0);
    const { secret } = JSON.parse(out);
    const guarded = await startTestServer({ folder: empty });
    const answer = (authorization: string) =>
      fetch(`${guarded.url}/graphql?query={__typename}`, {
        headers: { authorization, "content-type": "application/json" },
      });
    expect([(await answer("")).status, (await answer(`Bearer ${secret}`)).status]).toEqual([401, 200]);
    await guarded.close();
  });
});
