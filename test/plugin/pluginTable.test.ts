import { describe, expect, it } from "vitest";
import { withPluginTable } from "../../docs/tools/pluginTable.ts";
import sharedBottom from "../../plugins/shared-bottom/index.ts";

describe("the table of backbones in docs/plugins.md", () => {
  it("is written between its marks, and nothing else is touched", () => {
    const begin = "<!-- backbones: written by npm run docs -->";
    const end = "<!-- end of backbones -->";
    const plugin = { ...sharedBottom, name: "toy", summary: "A toy.", paper: { title: "", venue: "V", url: "u" } };
    expect(withPluginTable(`before\n${begin}\nold\n${end}\nafter\n`, [plugin])).toBe(
      [
        "before",
        begin,
        "",
        "| name                            | what it is | published |",
        "| ------------------------------- | ---------- | --------- |",
        "| [toy](../plugins/toy/README.md) | A toy.     | [V](u)    |",
        "",
        end,
        "after",
        "",
      ].join("\n"),
    );
    expect(() => withPluginTable("no marks", [])).toThrow("docs/plugins.md: expected the marks");
  });
});
