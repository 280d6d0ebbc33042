/** `autoifs model ...`. */
import { collected } from "../collected.ts";
import type { Command } from "../command.ts";
import { given, UsageError, wholeNumber } from "../command.ts";
import { facts, table, time } from "../table.ts";

export const modelCommands: readonly Command[] = [
  {
    name: "model register",
    takes: ["<key>"],
    summary: "Register a model; its versions come from runs",
    options: {
      name: { value: "<name>", text: "Name for people; default: the key." },
      description: { value: "<text>", text: "What it is for; default: nothing." },
    },
    example: 'model register home_ranker --description "Ranks the home feed"',
    async run({ client, args, options }) {
      const { name, description } = options;
      const input = { key: args["key"]!, ...given({ name, description }) };
      const { model } = await client().registerModel({ input });
      return { json: model, text: `${model.id} (${model.key}) is registered\n` };
    },
  },
  {
    name: "model version",
    takes: ["<model>", "<run>"],
    summary: "Make what a run ended with the next version of a model",
    options: { description: { value: "<text>", text: "What is special about it; default: nothing." } },
    example: "model version home_ranker run_0123456789abcdef",
    async run({ client, args, options }) {
      const input = { model: args["model"]!, run: args["run"]!, ...given({ description: options["description"] }) };
      const { modelVersion: version, created } = await client().createModelVersion({ input });
      const text = `version ${version.number} of ${args["model"]} ${created ? "is made" : "was made before"}\n`;
      return { json: { ...version, created }, text };
    },
  },
  {
    name: "model alias",
    takes: ["<model>", "<alias>", "[version]"],
    summary: "Make an alias stand for a version, or take it away",
    details:
      "A version that breaks a promotion rule of the alias is refused, and the rule is named with the numbers that break it.",
    options: {
      expect: { value: "<version>", text: "What it must stand for now, 0 for nothing; default: whatever it is." },
      remove: { text: "Take the alias away." },
    },
    example: "model alias home_ranker champion 3 --expect 2",
    async run(call) {
      const { client, args, switches } = call;
      const [model, alias, version] = [args["model"]!, args["alias"]!, args["version"]];
      if ((version === undefined) !== switches.has("remove")) {
        throw new UsageError("model alias: expected the number of a version or --remove");
      }
      const address = { model, alias, ...given({ expectedVersion: wholeNumber(call, "expect") }) };
      if (version === undefined) {
        const removed = (await client().removeModelAlias({ input: address })).model;
        return { json: removed, text: `${alias} of ${removed.key} is gone\n` };
      }
      if (!/^\d{1,9}$/.test(version)) throw new UsageError(`model alias: expected a whole number, got "${version}"`);
      const moved = (await client().setModelAlias({ input: { ...address, version: Number(version) } })).model;
      return { json: moved, text: `${moved.key}@${alias} is version ${version}\n` };
    },
  },
  {
    name: "model list",
    takes: [],
    summary: "List the models, in the order of registration",
    example: "model list",
    async run({ client }) {
      const models = await collected(client().pages("models", { first: 100 }));
      const rows = models.map(({ key, latestVersion, aliases, createdAt }) => [
        key,
        latestVersion ? String(latestVersion.number) : "–",
        aliases.map(({ name, version }) => `${name} → ${version.number}`).join(", "),
        time(createdAt),
      ]);
      const text = table(["key", "versions", "aliases", "registered"], rows, "There are no models.");
      return { json: models, text };
    },
  },
  {
    name: "model show",
    takes: ["<model>"],
    summary: "Show a model with its versions, aliases and promotion rules",
    example: "model show home_ranker",
    async run({ client, args }) {
      const model = await client().model({ key: args["model"]! });
      if (model === null) throw new UsageError(`model show: there is no model ${args["model"]}`);
      const { versions, aliases, promotionRules, traffic } = model;
      const rows = versions.nodes.map(({ number, run, createdAt }) => {
        const own = aliases.filter(({ version }) => version.number === number).map(({ name }) => name);
        return [String(number), run.id, own.join(", "), time(createdAt)];
      });
      const described = facts([
        ["model", model.key],
        ["name", model.name],
        ["description", model.description],
        ...promotionRules.map(({ alias, name, id }) => [`rule of ${alias}`, `${name} (${id})`] as const),
        ...traffic.map((one) => {
          const other = one.otherAlias ?? `version ${one.otherNumber}`;
          return [`traffic of ${one.alias}`, `${one.kind} ${other}, ${one.share * 100} %`] as const;
        }),
      ]);
      const header = ["version", "run", "aliases", "made"];
      return { json: model, text: `${described}\n${table(header, rows, "There are no versions yet.")}` };
    },
  },
];
