/** Opens the door of this program to plugins that lie outside of it, for the thread that calls it. */
import { existsSync } from "node:fs";
import { register } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { programFile } from "../programFile.ts";
import type { DoorOptions } from "./doorHook.ts";

/** What Node has been told stays so until the thread ends, and so does this. */
const opened = new Set<string>();

/** `root`: the plugin's folder, its real path. Does nothing for one that belongs to this project, whose package.json names the door. */
export function openDoor(root: string): void {
  if (opened.has(root) || packageOf(root) === packageOf(dirname(fileURLToPath(import.meta.url)))) return;
  opened.add(root);
  const hook = programFile(import.meta.url, "./doorHook").url;
  const data: DoorOptions = { root: `${pathToFileURL(root).href}/`, host: hook.href };
  register(hook, { data });
}

/** The folder of the nearest package.json. */
function packageOf(folder: string): string | undefined {
  if (existsSync(join(folder, "package.json"))) return folder;
  const above = dirname(folder);
  return above === folder ? undefined : packageOf(above);
}
