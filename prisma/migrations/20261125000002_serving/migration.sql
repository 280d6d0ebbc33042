-- AlterTable
ALTER TABLE "ModelRun" ADD COLUMN "pruneRule" TEXT;
ALTER TABLE "ModelRun" ADD COLUMN "pruneVerified" TEXT;
ALTER TABLE "ModelRun" ADD COLUMN "size" TEXT;

-- AlterTable
ALTER TABLE "FlowStatistic" ADD COLUMN "entropy" REAL;
ALTER TABLE "FlowStatistic" ADD COLUMN "meanLogit" REAL;
ALTER TABLE "FlowStatistic" ADD COLUMN "saturation" REAL;

-- CreateTable
CREATE TABLE "GateStatistic" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "runId" TEXT NOT NULL,
    "epoch" INTEGER NOT NULL,
    "temperature" REAL NOT NULL,
    "scenarioKey" TEXT NOT NULL,
    "taskKey" TEXT NOT NULL,
    "flow" TEXT NOT NULL,
    "shareRemoved" REAL NOT NULL,
    "meanGate" REAL NOT NULL,
    "entropy" REAL NOT NULL,
    "saturation" REAL NOT NULL,
    "meanLogit" REAL NOT NULL,
    CONSTRAINT "GateStatistic_runId_fkey" FOREIGN KEY ("runId") REFERENCES "ModelRun" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "GateStatistic_scenarioKey_fkey" FOREIGN KEY ("scenarioKey") REFERENCES "Scenario" ("key") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "GateStatistic_taskKey_fkey" FOREIGN KEY ("taskKey") REFERENCES "Task" ("key") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "FlowEffect" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "runId" TEXT NOT NULL,
    "scenarioKey" TEXT NOT NULL,
    "taskKey" TEXT NOT NULL,
    "flow" TEXT NOT NULL,
    "rows" INTEGER NOT NULL,
    "removed" REAL,
    "outAuc" TEXT NOT NULL,
    "outLogloss" TEXT NOT NULL,
    "inAuc" TEXT NOT NULL,
    "inLogloss" TEXT NOT NULL,
    CONSTRAINT "FlowEffect_runId_fkey" FOREIGN KEY ("runId") REFERENCES "ModelRun" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "FlowEffect_scenarioKey_fkey" FOREIGN KEY ("scenarioKey") REFERENCES "Scenario" ("key") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "FlowEffect_taskKey_fkey" FOREIGN KEY ("taskKey") REFERENCES "Task" ("key") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "PromotionRule" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "modelId" TEXT NOT NULL,
    "alias" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "rule" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL,
    CONSTRAINT "PromotionRule_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "Model" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "ModelTraffic" (
    "modelId" TEXT NOT NULL,
    "alias" TEXT NOT NULL,
    "otherAlias" TEXT,
    "otherNumber" INTEGER,
    "kind" TEXT NOT NULL,
    "share" REAL NOT NULL,
    "version" INTEGER NOT NULL,
    "setAt" DATETIME NOT NULL,

    PRIMARY KEY ("modelId", "alias"),
    CONSTRAINT "ModelTraffic_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "Model" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "TrafficDifference" (
    "modelId" TEXT NOT NULL,
    "alias" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "other" INTEGER NOT NULL,
    "scenarioKey" TEXT NOT NULL,
    "taskKey" TEXT NOT NULL,
    "rows" INTEGER NOT NULL,
    "sum" REAL NOT NULL,
    "otherSum" REAL NOT NULL,
    "absoluteSum" REAL NOT NULL,
    "largest" REAL NOT NULL,
    "moreThan001" INTEGER NOT NULL,
    "moreThan01" INTEGER NOT NULL,
    "firstAt" DATETIME NOT NULL,
    "lastAt" DATETIME NOT NULL,

    PRIMARY KEY ("modelId", "alias", "version", "other", "scenarioKey", "taskKey"),
    CONSTRAINT "TrafficDifference_modelId_alias_fkey" FOREIGN KEY ("modelId", "alias") REFERENCES "ModelTraffic" ("modelId", "alias") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "ModelExport" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "runId" TEXT NOT NULL,
    "versionId" TEXT,
    "format" TEXT NOT NULL,
    "scenario" TEXT,
    "isQuantised" BOOLEAN NOT NULL,
    "state" TEXT NOT NULL,
    "artifactHash" TEXT,
    "record" TEXT,
    "error" TEXT,
    "createdAt" DATETIME NOT NULL,
    "finishedAt" DATETIME,
    CONSTRAINT "ModelExport_runId_fkey" FOREIGN KEY ("runId") REFERENCES "ModelRun" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "ModelExport_versionId_fkey" FOREIGN KEY ("versionId") REFERENCES "ModelVersion" ("id") ON DELETE SET NULL ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "ServedBin" (
    "versionId" TEXT NOT NULL,
    "day" TEXT NOT NULL,
    "scenarioKey" TEXT NOT NULL,
    "column" TEXT NOT NULL,
    "bin" INTEGER NOT NULL,
    "rows" INTEGER NOT NULL,

    PRIMARY KEY ("versionId", "day", "scenarioKey", "column", "bin"),
    CONSTRAINT "ServedBin_versionId_fkey" FOREIGN KEY ("versionId") REFERENCES "ModelVersion" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "ServedRow" (
    "modelId" TEXT NOT NULL,
    "rowId" TEXT NOT NULL,
    "versionId" TEXT NOT NULL,
    "scenarioKey" TEXT NOT NULL,
    "day" TEXT NOT NULL,
    "probabilities" TEXT NOT NULL,
    "labels" TEXT,
    "isLabelled" BOOLEAN NOT NULL DEFAULT false,

    PRIMARY KEY ("modelId", "rowId", "versionId"),
    CONSTRAINT "ServedRow_versionId_fkey" FOREIGN KEY ("versionId") REFERENCES "ModelVersion" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "TrainingDistribution" (
    "datasetId" TEXT NOT NULL PRIMARY KEY,
    "content" TEXT NOT NULL,
    CONSTRAINT "TrainingDistribution_datasetId_fkey" FOREIGN KEY ("datasetId") REFERENCES "Dataset" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_Model" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL,
    "note" TEXT NOT NULL DEFAULT '',
    "noteVersion" INTEGER NOT NULL DEFAULT 1,
    "changes" INTEGER NOT NULL DEFAULT 0,
    "deletedAt" DATETIME
);
INSERT INTO "new_Model" ("createdAt", "deletedAt", "description", "id", "key", "name", "note", "noteVersion") SELECT "createdAt", "deletedAt", "description", "id", "key", "name", "note", "noteVersion" FROM "Model";
DROP TABLE "Model";
ALTER TABLE "new_Model" RENAME TO "Model";
CREATE UNIQUE INDEX "Model_key_key" ON "Model"("key");
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;

-- CreateIndex
CREATE INDEX "GateStatistic_runId_epoch_idx" ON "GateStatistic"("runId", "epoch");

-- CreateIndex
CREATE INDEX "FlowEffect_runId_idx" ON "FlowEffect"("runId");

-- CreateIndex
CREATE INDEX "PromotionRule_modelId_alias_id_idx" ON "PromotionRule"("modelId", "alias", "id");

-- CreateIndex
CREATE INDEX "ModelExport_runId_id_idx" ON "ModelExport"("runId", "id");

-- CreateIndex
CREATE INDEX "ModelExport_versionId_idx" ON "ModelExport"("versionId");

-- CreateIndex
CREATE INDEX "ModelExport_artifactHash_idx" ON "ModelExport"("artifactHash");

-- CreateIndex
CREATE INDEX "ServedRow_versionId_isLabelled_day_rowId_idx" ON "ServedRow"("versionId", "isLabelled", "day", "rowId");

-- CreateIndex
CREATE INDEX "ServedRow_day_idx" ON "ServedRow"("day");
