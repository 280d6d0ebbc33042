/** `autoifs dataset ...`. */
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { basename, relative, sep } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { RegisterDatasetInput, ResultOf } from "../../client/index.ts";
import { loadConfig } from "../../config.ts";
import { InvalidInputError } from "../../errors.ts";
import { collected } from "../collected.ts";
import type { Call, Command, Result } from "../command.ts";
import { Interrupted, oneOf, UsageError, waitOption } from "../command.ts";
import { readJsonObject } from "../jsonFiles.ts";
import { facts, table, time } from "../table.ts";

type Dataset = NonNullable<ResultOf<"dataset">>;

/** Milliseconds between two looks at an import. */
const lookEvery = 300;

export const datasetCommands: readonly Command[] = [
  {
    name: "dataset add",
    takes: ["<file>"],
    summary: "Register a file as a dataset and queue its import",
    details:
      "A file below the data folder of a server on this machine is taken where it is; any other is uploaded first. The file of --spec holds the members of RegisterDatasetInput (docs/api.md) but for `file`.",
    options: {
      spec: { value: "<file>", text: "JSON with the name, the columns and the split; required." },
      ...waitOption,
    },
    example: "dataset add traffic.csv.gz --spec traffic.json --wait",
    async run(call) {
      const spec = call.options["spec"];
      if (spec === undefined) throw new UsageError("dataset add: expected --spec <file>, got none");
      const described = await readJsonObject(spec);
      const file = await placed(call, call.args["file"]!);
      // What it holds is checked by the server, which says what is wrong with it.
      const input = { ...described, file } as unknown as RegisterDatasetInput;
      const { dataset, created } = await call.client().registerDataset({ input });
      if (call.switches.has("wait")) return shown(await imported(call, dataset.id));
      const text = created === false ? "is the same and was there before" : `is ${dataset.status}`;
      return { json: { ...dataset, created }, text: `${dataset.id} (${dataset.name}) ${text}\n` };
    },
  },
  {
    name: "dataset list",
    takes: [],
    summary: "List the datasets, newest first",
    options: {
      name: { value: "<name>", text: "Only the versions of this name." },
      status: { value: "<status>", text: "Only IMPORTING, READY or FAILED ones." },
    },
    example: "dataset list --status READY",
    async run(call) {
      const { name } = call.options;
      const status = oneOf(call, "status", ["IMPORTING", "READY", "FAILED"]);
      const filter = { ...(name === undefined ? {} : { name }), ...(status === undefined ? {} : { status }) };
      const all = await collected(call.client().pages("datasets", { first: 100, filter }));
      const rows = all.map((one) => [
        one.id,
        one.name,
        String(one.version ?? "–"),
        one.status,
        one.source,
        time(one.createdAt),
      ]);
      return {
        json: all,
        text: table(["id", "name", "version", "status", "file", "created"], rows, "There are no datasets."),
      };
    },
  },
  {
    name: "dataset show",
    takes: ["<dataset>"],
    summary: "Show a dataset with its cells and warnings",
    example: "dataset show ds_0123456789abcdef",
    async run({ client, args }) {
      const dataset = await client().dataset({ id: args["dataset"]! });
      if (!dataset) throw new InvalidInputError(`dataset: expected the id of a dataset, got "${args["dataset"]}"`);
      return { ...shown(dataset), hasSucceeded: true };
    },
  },
];

/** The path of a local file below the server's data folder, where it is uploaded to unless it is there. */
async function placed({ client, url, env }: Call, path: string): Promise<string> {
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) throw new InvalidInputError(`${path}: expected a file, got none`);
  if (/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname)) {
    const folder = await realpath(loadConfig(env).filesFolder).catch(() => undefined);
    const below = folder === undefined ? ".." : relative(folder, await realpath(path));
    if (below !== ".." && !below.startsWith(`..${sep}`)) return below.split(sep).join("/");
  }
  const content = Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>;
  return (await client().upload(basename(path), content)).file;
}

async function imported({ client, onInterrupt }: Call, id: string): Promise<Dataset> {
  const interrupt = new AbortController();
  const stopListening = onInterrupt?.(() => interrupt.abort());
  try {
    for (;;) {
      const dataset = (await client().dataset({ id }))!;
      if (dataset.status !== "IMPORTING") return dataset;
      await pause(lookEvery, undefined, { signal: interrupt.signal });
    }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    throw new Interrupted(`The import of ${id} goes on. Look at it: autoifs dataset show ${id}`);
  } finally {
    stopListening?.();
  }
}

function shown(dataset: Dataset): Result {
  const { id, name, version, status, error, source, vocabularySize, warnings, counts } = dataset;
  const head = facts([
    ["id", id],
    ["name", name],
    ["version", version?.toString()],
    ["status", status],
    ["error", error && `${error.message}`],
    ["file", source],
    ["embedding rows", vocabularySize?.toLocaleString("en")],
    ["created", time(dataset.createdAt)],
    ...warnings.map(({ kind, message }) => ["warning", `${kind}: ${message}`] as const),
  ]);
  const rows = (counts ?? []).map((cell) => [
    cell.split.toLowerCase(),
    cell.scenario.key,
    cell.task.key,
    cell.rows.toLocaleString("en"),
    cell.positives.toLocaleString("en"),
  ]);
  const cells = counts ? `\n${table(["split", "scenario", "task", "rows", "positives"], rows, "")}` : "";
  return { json: dataset, text: `${head}${cells}`, hasSucceeded: status !== "FAILED" };
}
