/** Begins the prediction of a whole file: everything that can be checked without reading its rows, then the job. */
import { z } from "zod";
import { hashFile } from "../../data/contentHash.ts";
import { inspectFile } from "../../data/inspect.ts";
import { assertNotDeleted } from "../../store/notDeleted.ts";
import type { BatchPrediction, Run } from "../../store/rows.ts";
import { dataFile } from "../dataset/dataFile.ts";
import type { Installation } from "../installation.ts";
import { parseInput, refusal, withoutNulls } from "../parseInput.ts";
import { assertHasModel } from "../prediction/askedModel.ts";
import { specOf } from "../stored.ts";
import { withField } from "../withField.ts";
import { columnsOf } from "./batchRows.ts";

const batchInput = z.strictObject({
  run: z.string().optional(),
  model: z.string().optional(),
  file: z.string(),
  format: z.enum(["JSONL", "PARQUET"]),
});

/**
 * Writes the batch prediction (QUEUED) and its job. Throws InvalidInputError with the path of what is wrong, NotFoundError
 * for the run or the model, ConflictError for one without a model, or that is deleted.
 */
export async function predictBatch(
  { store, modelResolver, filesFolder }: Pick<Installation, "store" | "modelResolver" | "filesFolder">,
  input: unknown,
): Promise<BatchPrediction> {
  const { file, format, ...asked } = parseInput(batchInput, withoutNulls(input), "input");
  const run = await askedRun({ store, modelResolver }, asked);
  await withField({ run: "input.run" }, async () => assertHasModel(run));
  assertNotDeleted(run, "run", "input.run");
  const path = await dataFile(filesFolder, file, "input.file");
  const { columns } = await inspectFile(path, "input.file");
  await assertColumns(store, run, columns);
  return store.batchPredictions.create({ runId: run.id, sourceFile: file, sourceHash: await hashFile(path), format });
}

/** Of a model the version that its name stands for: a whole file is no request that a canary may take. */
async function askedRun(
  { store, modelResolver }: Pick<Installation, "store" | "modelResolver">,
  { run, model }: { readonly run?: string | undefined; readonly model?: string | undefined },
): Promise<Run> {
  if (model !== undefined && run === undefined) return (await modelResolver.resolve(model, "input.model")).run;
  if (run !== undefined && model === undefined) return withField({ id: "input.run" }, () => store.runs.get(run));
  throw refusal("input.run", "either a run or a model", run === undefined ? "neither" : "both");
}

async function assertColumns({ datasets }: Installation["store"], run: Run, found: readonly string[]): Promise<void> {
  const missing = columnsOf(specOf(await datasets.get(run.datasetId))).filter((column) => !found.includes(column));
  if (missing.length === 0) return;
  const names = (columns: readonly string[]): string => columns.map((column) => JSON.stringify(column)).join(", ");
  throw refusal(
    "input.file",
    "a file with the columns of the dataset's fields and scenario",
    `one without ${names(missing.slice(0, 10))}`,
  );
}
