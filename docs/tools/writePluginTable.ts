/** `npm run docs`: writes the table of backbones in docs/plugins.md. */
import { readFileSync, writeFileSync } from "node:fs";
import { loadPlugins } from "../../src/plugin/registry.ts";
import { withPluginTable } from "./pluginTable.ts";

const page = new URL("../plugins.md", import.meta.url);
const { plugins, failures } = await loadPlugins(new URL("../../plugins/", import.meta.url));
if (failures.length > 0) throw failures[0]!.error;
writeFileSync(page, withPluginTable(readFileSync(page, "utf8"), [...plugins.values()]));
