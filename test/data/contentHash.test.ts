import { describe, expect, it } from "vitest";
import { hashSource } from "../../src/data/contentHash.ts";
import type { DatasetSpec } from "../../src/data/spec.ts";
import { useDataFolder, viewsCsv, viewsSpec } from "./dataFolder.ts";

const folder = useDataFolder();

describe("the content hash of a dataset", () => {
  it("is the same for the same bytes and spec, whatever the file is called and however the spec was written", async () => {
    const one = await folder.write("one.csv", viewsCsv);
    const two = await folder.write("two.csv", viewsCsv);
    const { split, labels, scenario, fields } = viewsSpec;

    const hash = await hashSource(one, viewsSpec);

    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(await hashSource(two, { split, labels, scenario, fields })).toBe(hash);
  });

  it("is another for other bytes or another spec", async () => {
    const file = await folder.write("one.csv", viewsCsv);
    const other = await folder.write("two.csv", `${viewsCsv}\n`);
    const reordered: DatasetSpec = { ...viewsSpec, fields: viewsSpec.fields.toReversed() };
    const hashes = [
      await hashSource(file, viewsSpec),
      await hashSource(other, viewsSpec),
      await hashSource(file, reordered),
    ];
    expect(new Set(hashes).size).toBe(3);
  });
});
