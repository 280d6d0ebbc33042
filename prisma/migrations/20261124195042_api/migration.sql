-- AlterTable
ALTER TABLE "Scenario" ADD COLUMN "deletedAt" DATETIME;

-- AlterTable
ALTER TABLE "Task" ADD COLUMN "deletedAt" DATETIME;

-- AlterTable
ALTER TABLE "Experiment" ADD COLUMN "deletedAt" DATETIME;

-- CreateTable
CREATE TABLE "DatasetArtifact" (
    "datasetId" TEXT NOT NULL,
    "artifactHash" TEXT NOT NULL,

    PRIMARY KEY ("datasetId", "artifactHash"),
    CONSTRAINT "DatasetArtifact_datasetId_fkey" FOREIGN KEY ("datasetId") REFERENCES "Dataset" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "RunParameter" (
    "runId" TEXT NOT NULL,
    "path" TEXT NOT NULL,
    "number" REAL,
    "text" TEXT,

    PRIMARY KEY ("runId", "path"),
    CONSTRAINT "RunParameter_runId_fkey" FOREIGN KEY ("runId") REFERENCES "ModelRun" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "RunSummary" (
    "runId" TEXT NOT NULL,
    "split" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "value" REAL NOT NULL,

    PRIMARY KEY ("runId", "split", "name"),
    CONSTRAINT "RunSummary_runId_fkey" FOREIGN KEY ("runId") REFERENCES "ModelRun" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "Tag" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "datasetId" TEXT,
    "runId" TEXT,
    "modelId" TEXT,
    "key" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    CONSTRAINT "Tag_datasetId_fkey" FOREIGN KEY ("datasetId") REFERENCES "Dataset" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "Tag_runId_fkey" FOREIGN KEY ("runId") REFERENCES "ModelRun" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "Tag_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "Model" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "Model" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL,
    "note" TEXT NOT NULL DEFAULT '',
    "noteVersion" INTEGER NOT NULL DEFAULT 1,
    "deletedAt" DATETIME
);

-- CreateTable
CREATE TABLE "ModelVersion" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "modelId" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "runId" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL,
    CONSTRAINT "ModelVersion_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "Model" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "ModelVersion_runId_fkey" FOREIGN KEY ("runId") REFERENCES "ModelRun" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "ModelAlias" (
    "modelId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "versionId" TEXT NOT NULL,
    "movedAt" DATETIME NOT NULL,

    PRIMARY KEY ("modelId", "name"),
    CONSTRAINT "ModelAlias_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "Model" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "ModelAlias_versionId_fkey" FOREIGN KEY ("versionId") REFERENCES "ModelVersion" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "ApiToken" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "secretHash" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL,
    "expiresAt" DATETIME,
    "lastUsedAt" DATETIME,
    "revokedAt" DATETIME
);

-- CreateTable
CREATE TABLE "IdempotentRequest" (
    "actor" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "operation" TEXT NOT NULL,
    "inputHash" TEXT NOT NULL,
    "subjectId" TEXT,
    "createdAt" DATETIME NOT NULL,

    PRIMARY KEY ("actor", "key")
);

-- CreateTable
CREATE TABLE "AuditEntry" (
    "sequence" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "at" DATETIME NOT NULL,
    "actor" TEXT NOT NULL,
    "actorName" TEXT NOT NULL,
    "operation" TEXT NOT NULL,
    "phase" TEXT NOT NULL,
    "begun" INTEGER,
    "subjects" TEXT NOT NULL,
    "inputHash" TEXT NOT NULL,
    "code" TEXT,
    "requestId" TEXT NOT NULL,
    "previousHash" TEXT NOT NULL,
    "hash" TEXT NOT NULL
);

-- CreateTable
CREATE TABLE "Webhook" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "url" TEXT NOT NULL,
    "secret" TEXT NOT NULL,
    "previousSecret" TEXT,
    "rotatedAt" DATETIME,
    "events" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "active" BOOLEAN NOT NULL,
    "createdAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "OutboxEvent" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "kind" TEXT NOT NULL,
    "subjectId" TEXT NOT NULL,
    "content" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "WebhookDelivery" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "webhookId" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "subjectId" TEXT NOT NULL,
    "payload" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL,
    "nextAttemptAt" DATETIME NOT NULL,
    "lastStatus" INTEGER,
    "lastError" TEXT,
    "createdAt" DATETIME NOT NULL,
    "deliveredAt" DATETIME,
    CONSTRAINT "WebhookDelivery_webhookId_fkey" FOREIGN KEY ("webhookId") REFERENCES "Webhook" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "Export" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "kind" TEXT NOT NULL,
    "format" TEXT NOT NULL,
    "spec" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "rows" INTEGER,
    "artifactHash" TEXT,
    "error" TEXT,
    "createdAt" DATETIME NOT NULL,
    "finishedAt" DATETIME
);

-- CreateTable
CREATE TABLE "BatchPrediction" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "runId" TEXT NOT NULL,
    "sourceFile" TEXT NOT NULL,
    "sourceHash" TEXT NOT NULL,
    "format" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "rowsTotal" INTEGER,
    "rowsDone" INTEGER NOT NULL DEFAULT 0,
    "unknown" TEXT NOT NULL DEFAULT '{}',
    "artifactHash" TEXT,
    "error" TEXT,
    "createdAt" DATETIME NOT NULL,
    "finishedAt" DATETIME,
    CONSTRAINT "BatchPrediction_runId_fkey" FOREIGN KEY ("runId") REFERENCES "ModelRun" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "BatchPart" (
    "batchId" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "artifactHash" TEXT NOT NULL,

    PRIMARY KEY ("batchId", "number"),
    CONSTRAINT "BatchPart_batchId_fkey" FOREIGN KEY ("batchId") REFERENCES "BatchPrediction" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_Dataset" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "version" INTEGER,
    "contentHash" TEXT,
    "sourceFile" TEXT NOT NULL,
    "spec" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "error" TEXT,
    "rows" INTEGER,
    "manifest" TEXT,
    "createdAt" DATETIME NOT NULL,
    "readyAt" DATETIME,
    "note" TEXT NOT NULL DEFAULT '',
    "noteVersion" INTEGER NOT NULL DEFAULT 1,
    "deletedAt" DATETIME
);
INSERT INTO "new_Dataset" ("contentHash", "createdAt", "error", "id", "manifest", "name", "readyAt", "rows", "sourceFile", "spec", "status", "version") SELECT "contentHash", "createdAt", "error", "id", "manifest", "name", "readyAt", "rows", "sourceFile", "spec", "status", "version" FROM "Dataset";
DROP TABLE "Dataset";
ALTER TABLE "new_Dataset" RENAME TO "Dataset";
CREATE INDEX "Dataset_contentHash_idx" ON "Dataset"("contentHash");
CREATE INDEX "Dataset_name_id_idx" ON "Dataset"("name", "id");
CREATE UNIQUE INDEX "Dataset_name_version_key" ON "Dataset"("name", "version");
CREATE TABLE "new_ModelRun" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "kind" TEXT NOT NULL,
    "datasetId" TEXT NOT NULL,
    "parentRunId" TEXT,
    "backboneName" TEXT NOT NULL,
    "backboneConfig" TEXT NOT NULL,
    "head" TEXT NOT NULL,
    "hyperParameters" TEXT NOT NULL,
    "preset" TEXT,
    "seed" INTEGER NOT NULL,
    "engine" TEXT NOT NULL,
    "pruneThreshold" REAL,
    "cell" TEXT,
    "configurationHash" TEXT NOT NULL DEFAULT '',
    "budget" TEXT,
    "pauseAtEpoch" INTEGER,
    "state" TEXT NOT NULL,
    "pauseRequested" BOOLEAN NOT NULL DEFAULT false,
    "stopReason" TEXT,
    "attempt" INTEGER NOT NULL,
    "leaseOwner" TEXT,
    "leaseExpiresAt" DATETIME,
    "progress" TEXT,
    "error" TEXT,
    "timings" TEXT,
    "checkpointHash" TEXT,
    "trainingStateHash" TEXT,
    "predictionsHash" TEXT,
    "versions" TEXT,
    "replayOfRunId" TEXT,
    "trialId" TEXT,
    "lastEvent" INTEGER NOT NULL DEFAULT 0,
    "createdAt" DATETIME NOT NULL,
    "startedAt" DATETIME,
    "finishedAt" DATETIME,
    "note" TEXT NOT NULL DEFAULT '',
    "noteVersion" INTEGER NOT NULL DEFAULT 1,
    "deletedAt" DATETIME,
    CONSTRAINT "ModelRun_datasetId_fkey" FOREIGN KEY ("datasetId") REFERENCES "Dataset" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "ModelRun_parentRunId_fkey" FOREIGN KEY ("parentRunId") REFERENCES "ModelRun" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT "ModelRun_replayOfRunId_fkey" FOREIGN KEY ("replayOfRunId") REFERENCES "ModelRun" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT "ModelRun_trialId_fkey" FOREIGN KEY ("trialId") REFERENCES "Trial" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT "ModelRun_checkpointHash_fkey" FOREIGN KEY ("checkpointHash") REFERENCES "Artifact" ("hash") ON DELETE SET NULL ON UPDATE CASCADE
);
INSERT INTO "new_ModelRun" ("attempt", "backboneConfig", "backboneName", "budget", "cell", "checkpointHash", "configurationHash", "createdAt", "datasetId", "engine", "error", "finishedAt", "head", "hyperParameters", "id", "kind", "lastEvent", "leaseExpiresAt", "leaseOwner", "parentRunId", "pauseAtEpoch", "pauseRequested", "predictionsHash", "preset", "progress", "pruneThreshold", "replayOfRunId", "seed", "startedAt", "state", "stopReason", "timings", "trainingStateHash", "trialId", "versions") SELECT "attempt", "backboneConfig", "backboneName", "budget", "cell", "checkpointHash", "configurationHash", "createdAt", "datasetId", "engine", "error", "finishedAt", "head", "hyperParameters", "id", "kind", "lastEvent", "leaseExpiresAt", "leaseOwner", "parentRunId", "pauseAtEpoch", "pauseRequested", "predictionsHash", "preset", "progress", "pruneThreshold", "replayOfRunId", "seed", "startedAt", "state", "stopReason", "timings", "trainingStateHash", "trialId", "versions" FROM "ModelRun";
DROP TABLE "ModelRun";
ALTER TABLE "new_ModelRun" RENAME TO "ModelRun";
CREATE INDEX "ModelRun_state_id_idx" ON "ModelRun"("state", "id");
CREATE INDEX "ModelRun_datasetId_id_idx" ON "ModelRun"("datasetId", "id");
CREATE INDEX "ModelRun_datasetId_configurationHash_idx" ON "ModelRun"("datasetId", "configurationHash");
CREATE INDEX "ModelRun_parentRunId_idx" ON "ModelRun"("parentRunId");
CREATE INDEX "ModelRun_replayOfRunId_idx" ON "ModelRun"("replayOfRunId");
CREATE INDEX "ModelRun_trialId_idx" ON "ModelRun"("trialId");
CREATE INDEX "ModelRun_checkpointHash_idx" ON "ModelRun"("checkpointHash");
CREATE INDEX "ModelRun_trainingStateHash_idx" ON "ModelRun"("trainingStateHash");
CREATE INDEX "ModelRun_predictionsHash_idx" ON "ModelRun"("predictionsHash");
CREATE INDEX "ModelRun_finishedAt_id_idx" ON "ModelRun"("finishedAt", "id");
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;

-- CreateIndex
CREATE INDEX "DatasetArtifact_artifactHash_idx" ON "DatasetArtifact"("artifactHash");

-- CreateIndex
CREATE INDEX "RunParameter_path_number_idx" ON "RunParameter"("path", "number");

-- CreateIndex
CREATE INDEX "RunParameter_path_text_idx" ON "RunParameter"("path", "text");

-- CreateIndex
CREATE INDEX "RunSummary_name_split_value_runId_idx" ON "RunSummary"("name", "split", "value", "runId");

-- CreateIndex
CREATE INDEX "Tag_key_value_idx" ON "Tag"("key", "value");

-- CreateIndex
CREATE UNIQUE INDEX "Tag_datasetId_key_key" ON "Tag"("datasetId", "key");

-- CreateIndex
CREATE UNIQUE INDEX "Tag_runId_key_key" ON "Tag"("runId", "key");

-- CreateIndex
CREATE UNIQUE INDEX "Tag_modelId_key_key" ON "Tag"("modelId", "key");

-- CreateIndex
CREATE UNIQUE INDEX "Model_key_key" ON "Model"("key");

-- CreateIndex
CREATE INDEX "ModelVersion_runId_idx" ON "ModelVersion"("runId");

-- CreateIndex
CREATE UNIQUE INDEX "ModelVersion_modelId_number_key" ON "ModelVersion"("modelId", "number");

-- CreateIndex
CREATE UNIQUE INDEX "ModelVersion_modelId_runId_key" ON "ModelVersion"("modelId", "runId");

-- CreateIndex
CREATE INDEX "ModelAlias_versionId_idx" ON "ModelAlias"("versionId");

-- CreateIndex
CREATE UNIQUE INDEX "ApiToken_secretHash_key" ON "ApiToken"("secretHash");

-- CreateIndex
CREATE INDEX "IdempotentRequest_createdAt_idx" ON "IdempotentRequest"("createdAt");

-- CreateIndex
CREATE INDEX "WebhookDelivery_state_nextAttemptAt_idx" ON "WebhookDelivery"("state", "nextAttemptAt");

-- CreateIndex
CREATE INDEX "WebhookDelivery_webhookId_id_idx" ON "WebhookDelivery"("webhookId", "id");

-- CreateIndex
CREATE INDEX "Export_artifactHash_idx" ON "Export"("artifactHash");

-- CreateIndex
CREATE INDEX "BatchPrediction_runId_id_idx" ON "BatchPrediction"("runId", "id");

-- CreateIndex
CREATE INDEX "BatchPrediction_artifactHash_idx" ON "BatchPrediction"("artifactHash");

-- CreateIndex
CREATE INDEX "BatchPart_artifactHash_idx" ON "BatchPart"("artifactHash");

-- CreateIndex
CREATE INDEX "Experiment_name_id_idx" ON "Experiment"("name", "id");

-- CreateIndex
CREATE INDEX "Trial_datasetId_idx" ON "Trial"("datasetId");
