/** What `--help` says, and the same as a page of the documentation. */
import type { Command, Option } from "./command.ts";
import { optionsOf } from "./parseCommandLine.ts";

export function overview(commands: readonly Command[]): string {
  const lines = rows(commands.map((command) => [[command.name, ...command.takes].join(" "), command.summary]));
  return `autoifs <command>

${lines}

Of each command, autoifs <command> --help says more. Exit codes: 0 done, 1 failed, 2 not understood, 130 interrupted.
`;
}

export function commandHelp(command: Command): string {
  const { name, takes, summary, details, example } = command;
  const usage = ["autoifs", name, ...takes, "[options]"].join(" ");
  return `${usage}

${wrapped(`${summary}.${details === undefined ? "" : ` ${details}`}`)}

${optionRows(optionsOf(command))}

Example:

  autoifs ${example}
`;
}

/** docs/cli.md. */
export function cliReference(commands: readonly Command[]): string {
  const sections = commands.map((command) => `## ${command.name}\n\n\`\`\`\n${commandHelp(command)}\`\`\`\n`);
  return `# Command line

What \`autoifs --help\` and \`autoifs <command> --help\` say. After \`npm run build\` it is \`npx autoifs\`; in a clone of this
project \`npm run autoifs -- <command>\` does without a build. All commands but \`serve\`, \`worker\`, \`plugins check\`,
\`backup\`, \`restore\` and the first \`token create\` ask a running server.

\`\`\`
${overview(commands)}\`\`\`

${sections.join("\n")}`;
}

function optionRows(options: Readonly<Record<string, Option>>): string {
  return rows(Object.entries(options).map(([name, { value, text }]) => [`--${name}${value ? ` ${value}` : ""}`, text]));
}

/** In lines of at most 100 characters. */
function wrapped(text: string): string {
  return text.replace(/(.{1,100})(?: |$)/g, "$1\n").trimEnd();
}

function rows(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([left]) => left.length));
  return pairs.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n");
}
