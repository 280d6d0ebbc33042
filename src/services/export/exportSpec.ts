/** What an export is of, as it waits for its job: a filter of runs, in which times have become text, or the id of a run. */
import { ProductError } from "../../errors.ts";
import type { Export } from "../../store/rows.ts";
import { runWhere } from "../../store/runFilter.ts";
import type { RunFilter } from "../../store/runFilter.ts";

/** Of RUNS and METRICS, and of PREDICTIONS. */
export type ExportSpec = { readonly filter: RunFilter } | { readonly run: string };

const times = ["createdAfter", "createdBefore", "finishedAfter", "finishedBefore"] as const;

/** Throws InvalidInputError about `input.filter` where no list could be filtered by it. */
export function checkFilter(filter: RunFilter): void {
  try {
    runWhere(filter);
  } catch (error) {
    if (!(error instanceof ProductError) || !error.detail.field?.startsWith("filter")) throw error;
    const field = `input.${error.detail.field}`;
    throw new ProductError(error.code, `input.${error.message}`, { ...error.detail, field }, error);
  }
}

/** Of RUNS and METRICS. */
export function filterOfExport({ spec }: Export): RunFilter {
  return withTimes((spec as { readonly filter: RunFilter }).filter);
}

/** Null for RUNS and METRICS. */
export function runOfExport({ spec }: Export): string | null {
  return "run" in (spec as ExportSpec) ? (spec as { readonly run: string }).run : null;
}

function withTimes({ and, or, not, ...rest }: RunFilter): RunFilter {
  const given = times.filter((name) => rest[name] !== undefined && rest[name] !== null);
  return {
    ...rest,
    ...Object.fromEntries(given.map((name) => [name, new Date(rest[name]!)])),
    ...(and ? { and: and.map(withTimes) } : {}),
    ...(or ? { or: or.map(withTimes) } : {}),
    ...(not ? { not: withTimes(not) } : {}),
  };
}
