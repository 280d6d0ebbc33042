import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { inspectFile } from "../../src/data/inspect.ts";
import { useDataFolder, viewsCsv } from "./dataFolder.ts";

const folder = useDataFolder();

describe("inspecting a file", () => {
  it("gives the names of its columns", async () => {
    const file = await folder.write("views.csv", viewsCsv);
    expect(await inspectFile(file)).toEqual({ columns: ["user", "tab", "click", "like", "part"] });
  });

  it("reads quoted names, with commas, quotes and line breaks in them", async () => {
    const file = await folder.write("views.csv", '\uFEFF"a,b","c""d",,"e\nf"\r\n1,2,3,4\r\n');
    expect(await inspectFile(file)).toEqual({ columns: ["a,b", 'c"d', "", "e\nf"] });
  });

  it("reads no more than the header, so that a damaged rest does not matter", async () => {
    const long = viewsCsv + "x".repeat(5_000_000);
    const file = await folder.write("views.csv.gz", gzipSync(long).subarray(0, 3000));
    expect((await inspectFile(file)).columns).toHaveLength(5);
  });

  it("names the member of the input that holds the path", async () => {
    await expect(inspectFile(folder.path("gone.csv"), "input.file")).rejects.toMatchObject({
      message: "input.file: expected a file, got gone.csv, which is not there",
      detail: { field: "input.file", expected: "a file", received: "gone.csv, which is not there" },
    });
  });
});
