/** Text for a terminal: tables, figures and times. */

/** Aligned columns: text to the left, numbers to the right; `nothing` where there are no rows. */
export function table(header: readonly string[], rows: readonly (readonly string[])[], nothing: string): string {
  if (rows.length === 0) return `${nothing}\n`;
  const widths = header.map((text, column) => Math.max(text.length, ...rows.map((row) => (row[column] ?? "").length)));
  const numeric = header.map((_, column) => rows.every((row) => /^([-+–]?[\d,.]*\s?%?)$/.test(row[column] ?? "")));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (numeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join("  ")
      .trimEnd();
  return `${[line(header), widths.map((width) => "─".repeat(width)).join("──"), ...rows.map(line)].join("\n")}\n`;
}

/** `name  value` in lines; members without a value are left out. */
export function facts(members: readonly (readonly [string, string | null | undefined])[]): string {
  const there = members.filter(([, value]) => value !== null && value !== undefined && value !== "");
  const width = Math.max(...there.map(([name]) => name.length));
  return `${there.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n")}\n`;
}

/** Four digits after the point; a dash where there is no value. */
export function figure(value: number | null | undefined): string {
  return value?.toFixed(4) ?? "–";
}

/** `2026-01-31 09:30:05` in UTC. */
export function time(instant: string | null | undefined): string {
  return instant ? instant.slice(0, 19).replace("T", " ") : "–";
}

/** `1 h 2 min`, `3 min 4 s`, `5 s`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${rest} s` : `${rest} s`;
}
