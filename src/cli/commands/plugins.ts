/** `autoifs plugins` and `autoifs plugins check`. */
import { checkPlugin } from "../../app.ts";
import { wholeNumber } from "../command.ts";
import type { Command } from "../command.ts";
import { table } from "../table.ts";

/** What one rule may take. */
const standardSeconds = 60;

export const pluginCommands: readonly Command[] = [
  {
    name: "plugins",
    takes: [],
    summary: "List the backbones that models can be built on, and the plugins that cannot be used",
    details: "With --json the backbones alone, each with the schema of what it can be configured with.",
    example: "plugins",
    async run({ client, isJson }) {
      const plugins = await client().plugins();
      const rows = plugins.map(({ name, summary, paper }) => [name, summary, paper.venue]);
      const list = table(["name", "what it is", "published"], rows, "There are no plugins.");
      if (isJson) return { json: plugins, text: list };
      const failures = await client().pluginFailures();
      const broken = failures.map(({ source, message }) => `${source} cannot be used: ${message}\n`);
      return { json: plugins, text: [list, ...broken].join("") };
    },
  },
  {
    name: "plugins check",
    takes: ["<folder>"],
    summary: "Show the plugin in a folder the contract of backbones, and say of every rule whether it is kept",
    details:
      "Which configurations of the plugin it is shown for stands in contract.ts (or .js) of the folder, as docs/plugins.md says; without that file it is the defaults. A rule that does not come to its end is broken.",
    options: {
      seconds: { value: "<number>", text: `What one rule may take. Default: ${standardSeconds}.` },
    },
    isLocal: true,
    example: "plugins check plugins/mmoe",
    async run(call) {
      const { args, isJson, stdout } = call;
      const folder = args["folder"]!;
      const { plugin, verdicts, isComplete } = await checkPlugin(folder, {
        seconds: wholeNumber(call, "seconds") ?? standardSeconds,
        told({ configuration, rule, error }) {
          if (isJson) return;
          stdout.write(`${error === null ? "ok     " : "failed "} ${configuration}: ${rule}\n`);
          if (error !== null) stdout.write(`        ${error.replaceAll("\n", "\n        ")}\n`);
        },
      });
      const broken = verdicts.filter(({ error }) => error !== null).length;
      const outcome =
        broken === 0 ? `keeps all ${verdicts.length} rules` : `breaks ${broken} of ${verdicts.length} rules`;
      const text = `${plugin}: ${outcome}${isComplete ? "" : "; the others were not shown, because two did not end"}\n`;
      return { json: { plugin, isKept: broken === 0, isComplete, verdicts }, text, hasSucceeded: broken === 0 };
    },
  },
];
