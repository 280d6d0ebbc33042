import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import sharedBottom from "../../plugins/shared-bottom/index.ts";
import { createEngine } from "../../src/engine/engines.ts";
import { checkParity } from "./parity.ts";
import type { VectorFile } from "./vectorFile.ts";

describe.each(["compiled", "cpu"] as const)("the %s engine agrees with the official AutoIFS code", (engineName) => {
  it.each([
    ["at its own initialisation", "init"],
    ["with every parameter random", "random"],
    ["with batch norm", "bn"],
  ])("%s: forward, gradients, three search steps and one retrain step", async (_, name) => {
    const bytes = readFileSync(new URL(`vectors/${name}.json.gz`, import.meta.url));
    const file = JSON.parse(gunzipSync(bytes).toString()) as VectorFile;

    const sections = await checkParity(file, sharedBottom, await createEngine(engineName));

    const compared = sections.filter(({ skipped }) => skipped === undefined);
    expect(compared.length).toBeGreaterThanOrEqual(12);
    for (const section of compared)
      expect(section.difference, `${section.name} at ${section.at}`).toBeLessThanOrEqual(section.tolerance);
  });
});
