/** Who needs an artifact: every table that refers to one is asked here. `sweep` in artifacts.ts asks the same in one statement. */
import type { DatabaseTransaction } from "./sqlite.ts";

export interface ArtifactUse {
  readonly hash: string;
  /** Id of the run, dataset, export, model export or batch prediction. */
  readonly userId: string;
}

/** Of at most 300 hashes every use. */
export async function artifactUsers(tx: DatabaseTransaction, hashes: readonly string[]): Promise<ArtifactUse[]> {
  const wanted = new Set(hashes);
  const some = { in: [...hashes] };
  const ofArtifact = { where: { artifactHash: some } };
  const runs = await tx.modelRun.findMany({
    where: { OR: [{ checkpointHash: some }, { trainingStateHash: some }, { predictionsHash: some }] },
    select: { id: true, checkpointHash: true, trainingStateHash: true, predictionsHash: true },
  });
  const datasets = await tx.datasetArtifact.findMany(ofArtifact);
  const exported = await tx.export.findMany({ ...ofArtifact, select: { id: true, artifactHash: true } });
  const models = await tx.modelExport.findMany({ ...ofArtifact, select: { id: true, artifactHash: true } });
  const batches = await tx.batchPrediction.findMany({ ...ofArtifact, select: { id: true, artifactHash: true } });
  const parts = await tx.batchPart.findMany(ofArtifact);
  const uses = [
    ...runs.flatMap(({ id, checkpointHash, trainingStateHash, predictionsHash }) =>
      [checkpointHash, trainingStateHash, predictionsHash].map((hash) => ({ hash, userId: id })),
    ),
    ...datasets.map(({ datasetId, artifactHash }) => ({ hash: artifactHash, userId: datasetId })),
    ...[...exported, ...models, ...batches].map(({ id, artifactHash }) => ({ hash: artifactHash, userId: id })),
    ...parts.map(({ batchId, artifactHash }) => ({ hash: artifactHash, userId: batchId })),
  ];
  return uses.filter((use): use is ArtifactUse => use.hash !== null && wanted.has(use.hash));
}
