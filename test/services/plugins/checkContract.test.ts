import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkContract, type RuleVerdict } from "../../../src/services/plugins/checkContract.ts";
import { writePlugins } from "./madePlugins.ts";

describe("the contract from outside a test", () => {
  it("is kept by a sound plugin, for the configurations that its contract.js names", async () => {
    const { folder, remove } = await writePlugins({ sound: {} });
    const subjects = `export const subjects = [{ label: "the only one", config: {} }];`;
    await writeFile(join(folder, "sound", "contract.js"), subjects);
    const told: RuleVerdict[] = [];
    const result = await checkContract(join(folder, "sound"), { seconds: 60, told: (verdict) => told.push(verdict) });
    expect(told.filter(({ error }) => error !== null)).toEqual([]);
    expect(new Set(told.map(({ configuration }) => configuration))).toEqual(new Set(["the only one"]));
    expect(result).toEqual({ plugin: "sound", verdicts: told, isComplete: true });
    await remove();
  });

  it("goes on after a rule that does not end, and stops after a second", async () => {
    const { folder, remove } = await writePlugins({ slow: { atForward: "for (;;);" } });
    const result = await checkContract(join(folder, "slow"), { seconds: 1.5, told: () => undefined });
    expect(result.verdicts.map(({ error }) => error)).toEqual([
      null, // of the configuration
      "did not end within 1.5 s",
      "did not end within 1.5 s",
    ]);
    expect(result.isComplete).toBe(false);
    await remove();
  });
});
