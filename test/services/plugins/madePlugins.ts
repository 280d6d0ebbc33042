/** Plugins in a folder outside of the project, each a little different, for the tests of how the bad ones are kept apart. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";

/** What is unusual about a plugin: lines of its main file. */
export interface Oddity {
  /** At the top of the module. */
  readonly atImport?: string;
  /** In `build`, before it gives the backbone. */
  readonly atBuild?: string;
  /** In `forward`, before it gives the representation. */
  readonly atForward?: string;
  /** The representation; default: one layer of width 4. */
  readonly gives?: string;
}

/** The main file of a plugin; the lines of an oddity are 4, 10 and 13, what it gives is line 14. */
export function pluginText(name: string, oddity: Oddity = {}): string {
  const { atImport = "", atBuild = "", atForward = "", gives = 'dense(p, "layer", features)' } = oddity;
  return `import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { definePlugin, dense, denseParams } from "autoifs/plugin";
${atImport}
export default definePlugin({
  name: "${name}",
  paper: { title: "A title", venue: "A venue", url: "https://example.org/paper" }, summary: "${tag}",
  config: z.strictObject({ hangs: z.boolean().default(false).describe("Whether build hangs.") }),
  build({ inputDim }, config) {
    ${atBuild}
    const params = denseParams("layer", inputDim, 4);
    return { outputDim: 4, perTask: false, params, forward(p, { features }) {
      ${atForward}
      return ${gives};
    } };
  },
});
void tf;
`;
}

const tag = "One layer.";

/** Writes them below a new folder; gives its path, and what removes it. */
export async function writePlugins(
  plugins: Readonly<Record<string, Oddity>>,
): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "autoifs-plugins-"));
  for (const [name, oddity] of Object.entries(plugins)) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, "index.js"), pluginText(name, oddity));
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** The entry of the server in the build of the tests. */
export const builtServer = (): string => fileURLToPath(new URL(`file://${join(inject("build"), "src/server.js")}`));
