/** The work of an import job: reads the file of a registered dataset and keeps what was made of it as artifacts. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { hashSource } from "../../data/contentHash.ts";
import { importDataset as importFile } from "../../data/importDataset.ts";
import { datasetFiles } from "../../data/manifest.ts";
import type { DatasetSpec } from "../../data/spec.ts";
import { transformFromJson } from "../../data/transform.ts";
import type { FieldTransform } from "../../data/transform.ts";
import type { ClaimedJob } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import { dataFile } from "./dataFile.ts";
import type { Installation } from "../installation.ts";
import { refusal } from "../parseInput.ts";
import { manifestOf, specOf } from "../stored.ts";

/** Ends the dataset as READY; what it throws ends it as FAILED, and nothing of the file is kept. */
export async function importDataset(
  { store, filesFolder, scratchFolder }: Pick<Installation, "store" | "filesFolder" | "scratchFolder">,
  job: ClaimedJob,
): Promise<void> {
  const dataset = await store.datasets.get(job.subjectId);
  const spec = specOf(dataset);
  const file = await dataFile(filesFolder, dataset.sourceFile, "file");
  const contentHash = await hashSource(file, spec);
  if (contentHash !== dataset.contentHash) {
    throw refusal("file", "the bytes that were registered", `others: ${dataset.sourceFile} has changed since`);
  }
  // Of this attempt alone: a worker that has lost the job may still be at its own. A release leaves the number.
  const outFolder = join(scratchFolder, `${job.jobId}-${job.attempt}`);
  await rm(outFolder, { recursive: true, force: true });
  await mkdir(scratchFolder, { recursive: true });
  try {
    const vocabulary = await vocabularyOf(store, spec);
    const manifest = await importFile({ file, spec, outFolder, ...(vocabulary ? { vocabulary } : {}) });
    for (const name of datasetFiles) await store.artifacts.put(join(outFolder, name), "dataset");
    const counts = manifest.cells.map(({ split, scenario, task, rows, positives }) => {
      return { split, scenarioKey: scenario, taskKey: task, rows, positives };
    });
    const artifactHashes = [...new Set(datasetFiles.map((name) => manifest.files[name].sha256))];
    await store.datasets.markReady(job, { contentHash, rows: manifest.rows, manifest, artifactHashes, counts });
  } finally {
    await rm(outFolder, { recursive: true, force: true });
  }
}

/** The fields of the dataset whose ids are taken. Throws InvalidInputError where its files are gone. */
async function vocabularyOf(
  { datasets, artifacts }: Store,
  { vocabularyOf: id }: DatasetSpec,
): Promise<readonly FieldTransform[] | undefined> {
  if (id === undefined) return undefined;
  const manifest = manifestOf(await datasets.get(id));
  if (!manifest) throw refusal("vocabularyOf", "a dataset in status READY", id);
  const json = await artifacts.read(manifest.files["transform.json"].sha256);
  return transformFromJson(JSON.parse(Buffer.from(json).toString("utf8"))).toJSON().fields;
}
