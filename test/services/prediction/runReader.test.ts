import { describe, expect, it } from "vitest";
import { createRunReader } from "../../../src/services/prediction/runReader.ts";
import type { Run } from "../../../src/store/rows.ts";
import type { Store } from "../../../src/store/store.ts";

/** Runs a, b and c, and which ids were read together. `fails`: the next reading does. */
function recorded() {
  const reads: string[][] = [];
  const state = { fails: false };
  const runs = {
    async byIds(ids: readonly string[]) {
      reads.push([...ids]);
      await new Promise((resolve) => setImmediate(resolve));
      if (state.fails) throw new Error("busy");
      return ids.filter((id) => "abc".includes(id)).map((id) => ({ id }) as Run);
    },
    get: (id: string) => Promise.reject(new Error(`no run ${id}`)),
  } as unknown as Store["runs"];
  return { reader: createRunReader({ runs }), reads, state };
}

describe("the reader of runs", () => {
  it("reads together what is asked for together, and what is asked for meanwhile afterwards", async () => {
    const { reader, reads } = recorded();
    const first = Promise.all(["a", "b", "a"].map((id) => reader.get(id)));
    while (reads.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const later = Promise.all(["a", "c"].map((id) => reader.get(id)));
    expect((await first).map(({ id }) => id)).toEqual(["a", "b", "a"]);
    expect((await later).map(({ id }) => id)).toEqual(["a", "c"]);
    expect(reads).toEqual([
      ["a", "b"],
      ["a", "c"],
    ]);
  });

  it("says what the store says of a run that is not there, and goes on after a failure", async () => {
    const { reader, state } = recorded();
    await expect(reader.get("x")).rejects.toThrow("no run x");
    state.fails = true;
    await expect(reader.get("a")).rejects.toThrow("busy");
    state.fails = false;
    expect(await reader.get("a")).toEqual({ id: "a" });
  });
});
