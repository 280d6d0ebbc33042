/** What the demo prints: steps with one updating line on a terminal, a few plain lines in a pipe; and tables. */

export interface Step {
  /** Replaces the line of the step. In a pipe only every tenth second is printed. */
  update(text: string): void;
  /** The step's last line. */
  done(text: string): void;
}

const pipeInterval = 10_000;

export function beginStep(title: string, out: NodeJS.WriteStream = process.stdout): Step {
  const begun = Date.now();
  let printed = begun;
  const fit = (line: string): string => line.slice(0, Math.max(20, (out.columns || 120) - 1));
  const seconds = (): string => `${((Date.now() - begun) / 1000).toFixed(1)} s`;
  if (out.isTTY) out.write(`  ${title} …`);
  return {
    update(text) {
      if (out.isTTY) {
        out.write(`\r\x1b[2K${fit(`  ${title}: ${text}`)}`);
      } else if (Date.now() - printed >= pipeInterval) {
        printed = Date.now();
        out.write(`  ${title}: ${text}\n`);
      }
    },
    done(text) {
      out.write(`${out.isTTY ? "\r\x1b[2K" : ""}✓ ${title}: ${text} (${seconds()})\n`);
    },
  };
}

/** `████░░░░` for a share from 0 to 1. */
export function bar(share: number, width = 20): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return "█".repeat(full) + "░".repeat(width - full);
}

/** Aligned columns: text to the left, numbers to the right. */
export function table(title: string, header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((text, column) => Math.max(text.length, ...rows.map((row) => (row[column] ?? "").length)));
  const numeric = header.map((_, column) => rows.every((row) => /^\(?[-–]?[\d,.]*\s?%?\)?$/.test(row[column] ?? "")));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (numeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join("   ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("───");
  return ["", title, "", ...[line(header), rule, ...rows.map(line)].map((text) => `  ${text}`), ""].join("\n");
}
