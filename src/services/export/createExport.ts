/** Begins an export of runs, of their metrics, or of the predictions of one. */
import { z } from "zod";
import { ConflictError } from "../../errors.ts";
import type { Export, ExportKind, RowsFormat } from "../../store/rows.ts";
import type { RunFilter } from "../../store/runFilter.ts";
import type { Installation } from "../installation.ts";
import { parseInput } from "../parseInput.ts";
import { withField } from "../withField.ts";
import { checkFilter } from "./exportSpec.ts";
import type { ExportSpec } from "./exportSpec.ts";

type Parts = Pick<Installation, "store">;

export interface RunsExportInput {
  /** Default: all that are not deleted. */
  readonly filter?: RunFilter | null | undefined;
  readonly format: RowsFormat;
}

/** Which runs they are is decided when the job reads them. Throws InvalidInputError for a filter that cannot be. */
export function exportRuns({ store }: Parts, input: RunsExportInput): Promise<Export> {
  return exportOfRuns(store, "RUNS", input);
}

/** As `exportRuns`. */
export function exportMetrics({ store }: Parts, input: RunsExportInput): Promise<Export> {
  return exportOfRuns(store, "METRICS", input);
}

/** Throws NotFoundError, or ConflictError for a run without kept predictions. */
export async function exportPredictions({ store }: Parts, input: unknown): Promise<Export> {
  const schema = z.strictObject({ run: z.string(), format: z.enum(["JSONL", "PARQUET"]) });
  const { run: id, format } = parseInput(schema, input, "input");
  const run = await withField({ id: "input.run" }, () => store.runs.get(id));
  if (run.state !== "SUCCEEDED" || run.predictionsHash === null) {
    const expected = "a run in state SUCCEEDED whose predictions were kept";
    const received = run.state === "SUCCEEDED" ? "one from before predictions were kept" : run.state;
    const detail = { field: "input.run", expected, received };
    throw new ConflictError(`input.run: expected ${expected}, but ${id} is ${received}`, detail);
  }
  return store.exports.create({ kind: "PREDICTIONS", format, spec: { run: id } satisfies ExportSpec });
}

async function exportOfRuns({ exports }: Parts["store"], kind: ExportKind, input: RunsExportInput): Promise<Export> {
  const { filter, format } = input;
  checkFilter(filter ?? {});
  return exports.create({ kind, format, spec: { filter: filter ?? {} } satisfies ExportSpec });
}
