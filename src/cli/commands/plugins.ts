/** `autoifs plugins`. */
import type { Command } from "../command.ts";
import { table } from "../table.ts";

export const pluginsCommand: Command = {
  name: "plugins",
  takes: [],
  summary: "List the backbones that models can be built on",
  details: "With --json also the schema of what each can be configured with.",
  example: "plugins",
  async run({ client }) {
    const plugins = await client().plugins();
    const rows = plugins.map(({ name, summary, paper }) => [name, summary, paper.venue]);
    return { json: plugins, text: table(["name", "what it is", "published"], rows, "There are no plugins.") };
  },
};
