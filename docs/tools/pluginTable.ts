/** The table of backbones in docs/plugins.md, made of what the plugins say of themselves. */
import type { BackbonePlugin } from "../../src/plugin/contract.ts";

const begin = "<!-- backbones: written by npm run docs -->";
const end = "<!-- end of backbones -->";

/** The page with the table of now between its two marks. Throws where the page has no such marks. */
export function withPluginTable(page: string, plugins: readonly BackbonePlugin[]): string {
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`docs/plugins.md: expected the marks "${begin}" and "${end}"`);
  return `${before}${begin}\n\n${pluginTable(plugins)}\n\n${end}${after}`;
}

/** A Markdown table, columns as wide as their cells. */
export function pluginTable(plugins: readonly BackbonePlugin[]): string {
  const rows = [
    ["name", "what it is", "published"],
    ...plugins.map(({ name, summary, paper: { venue, url } }) => [
      `[${name}](../plugins/${name}/README.md)`,
      summary,
      `[${venue}](${url})`,
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const [head, ...body] = rows;
  return [line(head!), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}
