/** The files that exports (also of models) and batch predictions have made, for whoever fetches them. */
import { ConflictError, NotFoundError } from "../errors.ts";
import { resultDays } from "../store/oldResults.ts";
import type { BatchPrediction, Export, ModelExport } from "../store/rows.ts";
import type { Installation } from "./installation.ts";

export interface ResultFile {
  readonly path: string;
  /** SHA-256 of its content. */
  readonly hash: string;
  /** Bytes. */
  readonly size: number;
  readonly format: "JSONL" | "PARQUET" | "ONNX" | "TFJS";
}

/** Throws NotFoundError, also where the file has had its time, or ConflictError until it has SUCCEEDED. */
export async function exportFile({ store }: Pick<Installation, "store">, id: string): Promise<ResultFile> {
  return fileOf(store, "export", await store.exports.get(id));
}

/** As `exportFile`. */
export async function batchPredictionFile({ store }: Pick<Installation, "store">, id: string): Promise<ResultFile> {
  return fileOf(store, "batch prediction", await store.batchPredictions.get(id));
}

/** As `exportFile`. */
export async function modelExportFile({ store }: Pick<Installation, "store">, id: string): Promise<ResultFile> {
  return fileOf(store, "model export", await store.modelExports.get(id));
}

async function fileOf(
  { artifacts }: Installation["store"],
  what: string,
  { id, state, artifactHash: hash, format }: Export | BatchPrediction | ModelExport,
): Promise<ResultFile> {
  if (state !== "SUCCEEDED") {
    const expected = "one in state SUCCEEDED";
    const detail = { field: "id", expected, received: state };
    throw new ConflictError(`${what} ${id}: expected ${expected}, but it is ${state}`, detail);
  }
  if (hash === null) {
    const message = `${what} ${id}: expected its file, but files are kept for ${resultDays} days and it is gone`;
    throw new NotFoundError(message, { field: "id", received: id, hint: "ask for it anew" });
  }
  const [artifact] = await artifacts.byHashes([hash]);
  if (!artifact) throw new Error(`${what} ${id}: expected the artifact ${hash}, but there is none`);
  return { path: artifacts.path(hash), hash, size: artifact.bytes, format };
}
