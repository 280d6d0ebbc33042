/**
 * Builds the program once before the tests: what they begin as processes and threads then starts in half the time that it
 * takes from the sources. It is what `npm run build` makes, without the types checked, in a folder of its own.
 */
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder with `src` and `plugins` in JavaScript. */
    readonly build: string;
  }
}

const root = fileURLToPath(new URL("..", import.meta.url));

/** Answers what removes it again. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Below node_modules, because packages are looked for from there upwards.
  const cache = join(root, "node_modules/.cache");
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "autoifs-tests-"));
  // It says what `#plugin` is.
  await copyFile(join(root, "package.json"), join(folder, "package.json"));
  await build(join(folder, "dist"));
  project.provide("build", join(folder, "dist"));
  project.vitest.onTestsRerun(() => build(join(folder, "dist")));
  return () => rm(folder, { recursive: true, force: true });
}

async function build(to: string): Promise<void> {
  const options = ["-p", "test/tsconfig.build.json", "--noCheck", "--outDir", to];
  await promisify(execFile)(join(root, "node_modules/.bin/tsc"), options, { cwd: root });
  await copyFile(join(root, "schema.graphql"), join(to, "schema.graphql"));
  await copyFile(join(root, "src/engine/kernels.wasm"), join(to, "src/engine/kernels.wasm"));
}
