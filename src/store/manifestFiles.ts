/** The rows of DatasetArtifact that a program from before the table leaves out of a dataset it imports. */
import type { Database, DatabaseTransaction } from "./sqlite.ts";

/** To be called before files that no row refers to are taken away: the manifest of a dataset names what it needs too. */
export async function recordManifestFiles(database: Database | DatabaseTransaction): Promise<void> {
  await database.$executeRaw`
    INSERT OR IGNORE INTO "DatasetArtifact" ("datasetId", "artifactHash")
    SELECT "Dataset"."id", json_extract("file"."value", '$.sha256')
    FROM "Dataset", json_each("Dataset"."manifest", '$.files') AS "file"
    WHERE "Dataset"."manifest" IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM "DatasetArtifact" WHERE "datasetId" = "Dataset"."id")
      AND json_extract("file"."value", '$.sha256') IS NOT NULL`;
}
