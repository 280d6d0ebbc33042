/** What a run was made with, taken apart into single values, so that lists of runs can be asked for them. */

export interface RunParameterRow {
  /** For example `learningRate`, `search.gateLearningRate`, `backbone.config.layers`, `head.scenarioLayers`. */
  readonly path: string;
  readonly number: number | null;
  readonly text: string | null;
}

/** Numbers as they are; booleans as words, lists as JSON. Left out is what is null, and of towers the search they never do. */
export function parametersOf({
  backboneConfig,
  head,
  hyperParameters,
}: Readonly<Record<"backboneConfig" | "head" | "hyperParameters", unknown>>): RunParameterRow[] {
  const { search, ...numbers } = hyperParameters as { search?: unknown };
  const isTowers = (head as { kind?: unknown }).kind === "TOWERS";
  const rows = flattened(
    { ...numbers, search: isTowers ? null : search, backbone: { config: backboneConfig }, head },
    [],
  );
  // A name of a member may hold a dot.
  return [...new Map(rows.map((row) => [row.path, row])).values()];
}

/** As it is kept; undefined for what is never kept as one value. */
export function parameterValue(value: unknown): Omit<RunParameterRow, "path"> | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? { number: value, text: null } : undefined;
  if (typeof value === "string" || typeof value === "boolean") return { number: null, text: String(value) };
  return Array.isArray(value) ? { number: null, text: JSON.stringify(value) } : undefined;
}

function flattened(value: unknown, path: readonly string[]): RunParameterRow[] {
  const stored = parameterValue(value);
  if (stored) return [{ path: path.join("."), ...stored }];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([name, member]) => flattened(member, [...path, name]));
}
