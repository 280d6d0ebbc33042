/** `autoifs scenario ...` and `autoifs task ...`, which differ in one word. */
import type { Client } from "../../client/index.ts";
import { collected } from "../collected.ts";
import type { Command, Result } from "../command.ts";
import { given } from "../command.ts";
import { table } from "../table.ts";

interface Keyed {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly description: string;
}

interface Kind {
  readonly word: "scenario" | "task";
  readonly examples: { readonly add: string; readonly list: string };
  /** Beside name and description. */
  readonly options?: Command["options"];
  add(client: Client, input: { key: string; name?: string; description?: string; onlyWhere?: string }): Promise<Keyed>;
  list(client: Client): AsyncIterable<Keyed>;
}

export const scenarioCommands = commandsOf({
  word: "scenario",
  examples: { add: 'scenario add home --name "Home feed"', list: "scenario list" },
  add: async (client, input) => (await client.registerScenario({ input })).scenario,
  list: (client) => client.pages("scenarios", { first: 100 }),
});

export const taskCommands = commandsOf({
  word: "task",
  examples: { add: 'task add click --description "Opens the item"', list: "task list" },
  options: {
    "only-where": {
      value: "<task>",
      text: "Key of a task that must be 1 for this one to count; default: it always counts.",
    },
  },
  add: async (client, input) => (await client.registerTask({ input })).task,
  list: (client) => client.pages("tasks", { first: 100 }),
});

function commandsOf({ word, examples, options, add, list }: Kind): readonly Command[] {
  return [
    {
      name: `${word} add`,
      takes: ["<key>"],
      summary: `Register a ${word}`,
      options: {
        name: { value: "<name>", text: "Name for people; default: the key." },
        description: { value: "<text>", text: `What the ${word} is; default: empty.` },
        ...options,
      },
      example: examples.add,
      async run({ client, args, options: { name, description, "only-where": onlyWhere } }) {
        const added = await add(client(), given({ key: args["key"]!, name, description, onlyWhere }));
        return { json: added, text: `${added.key} is registered: ${added.id}\n` };
      },
    },
    {
      name: `${word} list`,
      takes: [],
      summary: `List the ${word}s in the order of registration`,
      example: examples.list,
      async run({ client }): Promise<Result> {
        const all = await collected(list(client()));
        const rows = all.map(({ key, name, id, description }) => [key, name, id, description]);
        return { json: all, text: table(["key", "name", "id", "description"], rows, `There are no ${word}s.`) };
      },
    },
  ];
}
