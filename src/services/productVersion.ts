/** The version of this program, from its package.json: above the sources as above the build. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export function productVersion(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (!existsSync(file)) continue;
    const { name, version } = JSON.parse(readFileSync(file, "utf8")) as { name?: string; version?: string };
    if (name === "autoifs" && version !== undefined) return version;
  }
  throw new Error(`package.json: expected that of autoifs above ${import.meta.dirname}, but there is none`);
}
