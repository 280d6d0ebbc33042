-- DropIndex
DROP INDEX "MetricPoint_runId_epoch_idx";

-- AlterTable
ALTER TABLE "MetricPoint" ADD COLUMN "groups" INTEGER;
ALTER TABLE "MetricPoint" ADD COLUMN "high" REAL;
ALTER TABLE "MetricPoint" ADD COLUMN "low" REAL;
ALTER TABLE "MetricPoint" ADD COLUMN "reason" TEXT;

-- CreateTable
CREATE TABLE "RunEvent" (
    "runId" TEXT NOT NULL,
    "sequence" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "content" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL,

    PRIMARY KEY ("runId", "sequence"),
    CONSTRAINT "RunEvent_runId_fkey" FOREIGN KEY ("runId") REFERENCES "ModelRun" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "Experiment" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "spec" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL,
    "finishedAt" DATETIME
);

-- CreateTable
CREATE TABLE "Trial" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "experimentId" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "configuration" TEXT NOT NULL,
    "datasetId" TEXT NOT NULL,
    "seed" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "rung" INTEGER NOT NULL,
    CONSTRAINT "Trial_experimentId_fkey" FOREIGN KEY ("experimentId") REFERENCES "Experiment" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
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
    CONSTRAINT "ModelRun_datasetId_fkey" FOREIGN KEY ("datasetId") REFERENCES "Dataset" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "ModelRun_parentRunId_fkey" FOREIGN KEY ("parentRunId") REFERENCES "ModelRun" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT "ModelRun_replayOfRunId_fkey" FOREIGN KEY ("replayOfRunId") REFERENCES "ModelRun" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT "ModelRun_trialId_fkey" FOREIGN KEY ("trialId") REFERENCES "Trial" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT "ModelRun_checkpointHash_fkey" FOREIGN KEY ("checkpointHash") REFERENCES "Artifact" ("hash") ON DELETE SET NULL ON UPDATE CASCADE
);
INSERT INTO "new_ModelRun" ("attempt", "backboneConfig", "backboneName", "checkpointHash", "createdAt", "datasetId", "engine", "error", "finishedAt", "head", "hyperParameters", "id", "kind", "leaseExpiresAt", "leaseOwner", "parentRunId", "preset", "progress", "pruneThreshold", "seed", "startedAt", "state", "timings") SELECT "attempt", "backboneConfig", "backboneName", "checkpointHash", "createdAt", "datasetId", "engine", "error", "finishedAt", "head", "hyperParameters", "id", "kind", "leaseExpiresAt", "leaseOwner", "parentRunId", "preset", "progress", "pruneThreshold", "seed", "startedAt", "state", "timings" FROM "ModelRun";
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
CREATE TABLE "new_Job" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "kind" TEXT NOT NULL,
    "subjectId" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "priority" INTEGER NOT NULL DEFAULT 0,
    "owner" TEXT,
    "attempt" INTEGER NOT NULL,
    "deaths" INTEGER NOT NULL DEFAULT 0,
    "leaseExpiresAt" DATETIME,
    "availableAt" DATETIME NOT NULL,
    "error" TEXT,
    "createdAt" DATETIME NOT NULL
);
INSERT INTO "new_Job" ("attempt", "availableAt", "createdAt", "error", "id", "kind", "leaseExpiresAt", "owner", "state", "subjectId") SELECT "attempt", "availableAt", "createdAt", "error", "id", "kind", "leaseExpiresAt", "owner", "state", "subjectId" FROM "Job";
DROP TABLE "Job";
ALTER TABLE "new_Job" RENAME TO "Job";
CREATE UNIQUE INDEX "Job_subjectId_key" ON "Job"("subjectId");
CREATE INDEX "Job_state_priority_availableAt_id_idx" ON "Job"("state", "priority", "availableAt", "id");
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;

-- CreateIndex
CREATE UNIQUE INDEX "Trial_experimentId_number_key" ON "Trial"("experimentId", "number");

-- CreateIndex
CREATE INDEX "MetricPoint_runId_epoch_split_idx" ON "MetricPoint"("runId", "epoch", "split");
