import { describe, expect, it } from "vitest";
import { createIdSource } from "../../src/store/ids.ts";

describe("ids", () => {
  it("name their table and have a fixed length", () => {
    expect(createIdSource()("run")).toMatch(/^run_[0-9a-f]{32}$/);
  });

  it("ascend, also within a millisecond", () => {
    const newId = createIdSource();
    const ids = Array.from({ length: 5000 }, () => newId("run"));
    expect(ids).toEqual([...new Set(ids)].sort());
  });

  it("of one source differ from those of another made at the same time", () => {
    const [one, other] = [createIdSource(), createIdSource()];
    const ids = Array.from({ length: 1000 }, () => [one("run"), other("run")]).flat();
    expect(new Set(ids).size).toBe(2000);
  });
});
