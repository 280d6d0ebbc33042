-- Of datasets from before the table: the files that their manifests name.
INSERT INTO "DatasetArtifact" ("datasetId", "artifactHash")
SELECT DISTINCT "Dataset"."id", json_extract("file"."value", '$.sha256')
FROM "Dataset", json_each("Dataset"."manifest", '$.files') AS "file"
WHERE "Dataset"."manifest" IS NOT NULL AND json_extract("file"."value", '$.sha256') IS NOT NULL;
