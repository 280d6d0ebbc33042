-- Of runs from before the tables: what src/store/runParameters.ts and src/store/metrics.ts write for new ones.
INSERT INTO "RunParameter" ("runId", "path", "number", "text")
SELECT
  "runId",
  "prefix" || replace(substr("fullkey", 3), '"', ''),
  CASE WHEN "type" IN ('integer', 'real') THEN "value" END,
  CASE WHEN "type" IN ('true', 'false') THEN "type" WHEN "type" IN ('text', 'array') THEN "value" END
FROM (
  SELECT "ModelRun"."id" AS "runId", '' AS "prefix", "part"."fullkey", "part"."type", "part"."value"
  FROM "ModelRun", json_tree("ModelRun"."hyperParameters") AS "part"
  -- Towers are never searched.
  WHERE NOT ("part"."fullkey" LIKE '$.search.%' AND json_extract("ModelRun"."head", '$.kind') = 'TOWERS')
  UNION ALL
  SELECT "ModelRun"."id", 'backbone.config.', "part"."fullkey", "part"."type", "part"."value"
  FROM "ModelRun", json_tree("ModelRun"."backboneConfig") AS "part"
  UNION ALL
  SELECT "ModelRun"."id", 'head.', "part"."fullkey", "part"."type", "part"."value"
  FROM "ModelRun", json_tree("ModelRun"."head") AS "part"
)
-- Lists are kept whole.
WHERE "type" NOT IN ('object', 'null') AND "fullkey" NOT LIKE '%[%'
ON CONFLICT DO NOTHING;

INSERT INTO "RunSummary" ("runId", "split", "name", "value")
SELECT "runId", "split", "name", avg("value")
FROM "MetricPoint"
WHERE "epoch" IS NULL AND "value" IS NOT NULL
GROUP BY "runId", "split", "name"
ON CONFLICT DO NOTHING;
