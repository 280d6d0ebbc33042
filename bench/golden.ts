/** `npm run golden -- <folder>`: parity with the official code on every vector file of a folder, on both engines. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharedBottom from "../plugins/shared-bottom/index.ts";
import { createCompiledEngine } from "../src/engine/compiledEngine.ts";
import { createEagerEngine } from "../src/engine/eagerEngine.ts";
import { checkParity } from "../test/golden/parity.ts";
import type { VectorFile } from "../test/golden/vectorFile.ts";

const folder = process.argv[2];
if (!folder) {
  console.error("usage: npm run golden -- <folder with vector files>");
  process.exit(2);
}
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
if (files.length === 0) {
  console.error(`golden: no .json file in ${folder}`);
  process.exit(2);
}
let failed = 0;
for (const engine of [await createEagerEngine("cpu"), createCompiledEngine()])
  for (const name of files) {
    console.log(`\n${name}, engine ${engine.name}`);
    const file = JSON.parse(readFileSync(join(folder, name), "utf8")) as VectorFile;
    for (const { name: section, difference, at, tolerance, skipped } of await checkParity(file, sharedBottom, engine)) {
      if (skipped) {
        console.log(`  ${section.padEnd(48)} skipped: ${skipped}`);
        continue;
      }
      const ok = difference <= tolerance;
      if (!ok) failed++;
      const verdict = ok ? "" : `  ABOVE at ${at}`;
      console.log(
        `  ${section.padEnd(48)} ${difference.toExponential(2)}  (tolerance ${tolerance.toExponential(0)})${verdict}`,
      );
    }
  }
console.log(failed === 0 ? "\nall sections within tolerance" : `\n${failed} section(s) above tolerance`);
process.exit(failed === 0 ? 0 : 1);
