import { describe, expect, it } from "vitest";
import { openTestStore, temporaryFolder } from "../store/testStore.ts";
import { startChild } from "./childProcess.ts";

describe("three processes on one new database", () => {
  it("lose nothing, do no job twice and never see it busy", async () => {
    const folder = await temporaryFolder();
    const [own, total] = [12, 36];
    const owners = ["a", "b", "c"];
    const children = owners.map((owner) => startChild("busyWorker", [folder, owner, String(own), String(total)]));
    const done = await Promise.all(children.map(async (child) => JSON.parse(await child.nextLine()) as string[]));
    for (const child of children) expect(await child.end()).toEqual({ code: 0, signal: null, stderr: "" });

    expect(done.flat()).toHaveLength(total);
    expect(new Set(done.flat()).size).toBe(total);
    const store = await openTestStore(folder);
    const datasets = (await store.datasets.list({ first: 100 })).rows;
    expect(datasets.map(({ version }) => version).sort((a, b) => a! - b!)).toEqual(
      Array.from({ length: total }, (_, i) => i + 1),
    );
    expect((await store.scenarios.list({ first: 100 })).rows).toHaveLength(total);
  });
});
