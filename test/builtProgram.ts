/** Stands in for src/programFile.ts in the tests: what they begin is begun from the build that was made for them. */
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { inject } from "vitest";
import type { ProgramFile } from "../src/programFile.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

export function programFile(caller: string, name: string): ProgramFile {
  const path = relative(root, fileURLToPath(new URL(`${name}.js`, caller)));
  return { url: pathToFileURL(join(inject("build"), path)), fromSource: false, execArgv: [] };
}
