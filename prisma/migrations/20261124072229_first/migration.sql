-- CreateTable
CREATE TABLE "Scenario" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "Task" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "Dataset" (
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
    "readyAt" DATETIME
);

-- CreateTable
CREATE TABLE "DatasetCount" (
    "datasetId" TEXT NOT NULL,
    "split" TEXT NOT NULL,
    "scenarioKey" TEXT NOT NULL,
    "taskKey" TEXT NOT NULL,
    "rows" INTEGER NOT NULL,
    "positives" INTEGER NOT NULL,

    PRIMARY KEY ("datasetId", "split", "scenarioKey", "taskKey"),
    CONSTRAINT "DatasetCount_datasetId_fkey" FOREIGN KEY ("datasetId") REFERENCES "Dataset" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "DatasetCount_scenarioKey_fkey" FOREIGN KEY ("scenarioKey") REFERENCES "Scenario" ("key") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "DatasetCount_taskKey_fkey" FOREIGN KEY ("taskKey") REFERENCES "Task" ("key") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "ModelRun" (
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
    "state" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "leaseOwner" TEXT,
    "leaseExpiresAt" DATETIME,
    "progress" TEXT,
    "error" TEXT,
    "timings" TEXT,
    "checkpointHash" TEXT,
    "createdAt" DATETIME NOT NULL,
    "startedAt" DATETIME,
    "finishedAt" DATETIME,
    CONSTRAINT "ModelRun_datasetId_fkey" FOREIGN KEY ("datasetId") REFERENCES "Dataset" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "ModelRun_parentRunId_fkey" FOREIGN KEY ("parentRunId") REFERENCES "ModelRun" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT "ModelRun_checkpointHash_fkey" FOREIGN KEY ("checkpointHash") REFERENCES "Artifact" ("hash") ON DELETE SET NULL ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "MetricPoint" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "runId" TEXT NOT NULL,
    "epoch" INTEGER,
    "split" TEXT NOT NULL,
    "scenarioKey" TEXT NOT NULL,
    "taskKey" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "value" REAL,
    CONSTRAINT "MetricPoint_runId_fkey" FOREIGN KEY ("runId") REFERENCES "ModelRun" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "MetricPoint_scenarioKey_fkey" FOREIGN KEY ("scenarioKey") REFERENCES "Scenario" ("key") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "MetricPoint_taskKey_fkey" FOREIGN KEY ("taskKey") REFERENCES "Task" ("key") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "FlowStatistic" (
    "runId" TEXT NOT NULL,
    "scenarioKey" TEXT NOT NULL,
    "taskKey" TEXT NOT NULL,
    "flow" TEXT NOT NULL,
    "shareRemoved" REAL NOT NULL,
    "meanGate" REAL NOT NULL,

    PRIMARY KEY ("runId", "scenarioKey", "taskKey", "flow"),
    CONSTRAINT "FlowStatistic_runId_fkey" FOREIGN KEY ("runId") REFERENCES "ModelRun" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "FlowStatistic_scenarioKey_fkey" FOREIGN KEY ("scenarioKey") REFERENCES "Scenario" ("key") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "FlowStatistic_taskKey_fkey" FOREIGN KEY ("taskKey") REFERENCES "Task" ("key") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "Artifact" (
    "hash" TEXT NOT NULL PRIMARY KEY,
    "bytes" BIGINT NOT NULL,
    "kind" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "Job" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "kind" TEXT NOT NULL,
    "subjectId" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "owner" TEXT,
    "attempt" INTEGER NOT NULL,
    "leaseExpiresAt" DATETIME,
    "availableAt" DATETIME NOT NULL,
    "error" TEXT,
    "createdAt" DATETIME NOT NULL
);

-- CreateIndex
CREATE UNIQUE INDEX "Scenario_key_key" ON "Scenario"("key");

-- CreateIndex
CREATE UNIQUE INDEX "Task_key_key" ON "Task"("key");

-- CreateIndex
CREATE INDEX "Dataset_contentHash_idx" ON "Dataset"("contentHash");

-- CreateIndex
CREATE UNIQUE INDEX "Dataset_name_version_key" ON "Dataset"("name", "version");

-- CreateIndex
CREATE INDEX "ModelRun_state_id_idx" ON "ModelRun"("state", "id");

-- CreateIndex
CREATE INDEX "ModelRun_datasetId_id_idx" ON "ModelRun"("datasetId", "id");

-- CreateIndex
CREATE INDEX "ModelRun_parentRunId_idx" ON "ModelRun"("parentRunId");

-- CreateIndex
CREATE INDEX "MetricPoint_runId_epoch_idx" ON "MetricPoint"("runId", "epoch");

-- CreateIndex
CREATE UNIQUE INDEX "Job_subjectId_key" ON "Job"("subjectId");

-- CreateIndex
CREATE INDEX "Job_state_availableAt_id_idx" ON "Job"("state", "availableAt", "id");
