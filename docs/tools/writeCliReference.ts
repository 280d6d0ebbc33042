/** `npm run docs`: writes docs/cli.md from the commands. */
import { writeFileSync } from "node:fs";
import { commands } from "../../src/cli/commands.ts";
import { cliReference } from "../../src/cli/help.ts";

writeFileSync(new URL("../cli.md", import.meta.url), cliReference(commands));
