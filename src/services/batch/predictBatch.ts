/** Begins the prediction of a whole file: everything that can be checked without reading its rows, then the job. */
import { z } from "zod";
import { hashFile } from "../../data/contentHash.ts";
import { inspectFile } from "../../data/inspect.ts";
import { assertNotDeleted } from "../../store/notDeleted.ts";
import type { BatchPrediction, Run } from "../../store/rows.ts";
import { dataFile } from "../dataset/dataFile.ts";
import type { Installation } from "../installation.ts";
import { parseInput, refusal } from "../parseInput.ts";
import { assertHasModel } from "../prediction/predict.ts";
import { specOf } from "../stored.ts";
import { withField } from "../withField.ts";
import { columnsOf } from "./batchRows.ts";

const batchInput = z.strictObject({ run: z.string(), file: z.string(), format: z.enum(["JSONL", "PARQUET"]) });

/**
 * Writes the batch prediction (QUEUED) and its job. Throws InvalidInputError with the path of what is wrong, NotFoundError
 * for the run, ConflictError for one without a model, or that is deleted.
 */
export async function predictBatch(
  { store, filesFolder }: Pick<Installation, "store" | "filesFolder">,
  input: unknown,
): Promise<BatchPrediction> {
  const { run: runId, file, format } = parseInput(batchInput, input, "input");
  const run = await withField({ id: "input.run" }, () => store.runs.get(runId));
  await withField({ run: "input.run" }, async () => assertHasModel(run));
  assertNotDeleted(run, "run", "input.run");
  const path = await dataFile(filesFolder, file, "input.file");
  const { columns } = await inspectFile(path, "input.file");
  await assertColumns(store, run, columns);
  return store.batchPredictions.create({ runId, sourceFile: file, sourceHash: await hashFile(path), format });
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
