-- CreateTable
CREATE TABLE "LossWeight" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "runId" TEXT NOT NULL,
    "phase" TEXT NOT NULL,
    "epoch" INTEGER NOT NULL,
    "taskKey" TEXT NOT NULL,
    "weight" REAL NOT NULL,
    CONSTRAINT "LossWeight_runId_fkey" FOREIGN KEY ("runId") REFERENCES "ModelRun" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "LossWeight_taskKey_fkey" FOREIGN KEY ("taskKey") REFERENCES "Task" ("key") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "BackboneStatistic" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "runId" TEXT NOT NULL,
    "phase" TEXT NOT NULL,
    "epoch" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "scenarioKey" TEXT NOT NULL,
    "values" TEXT NOT NULL,
    CONSTRAINT "BackboneStatistic_runId_fkey" FOREIGN KEY ("runId") REFERENCES "ModelRun" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "BackboneStatistic_scenarioKey_fkey" FOREIGN KEY ("scenarioKey") REFERENCES "Scenario" ("key") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_Task" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "onlyWhereId" TEXT,
    "createdAt" DATETIME NOT NULL,
    "deletedAt" DATETIME,
    CONSTRAINT "Task_onlyWhereId_fkey" FOREIGN KEY ("onlyWhereId") REFERENCES "Task" ("id") ON DELETE NO ACTION ON UPDATE CASCADE
);
INSERT INTO "new_Task" ("createdAt", "deletedAt", "description", "id", "key", "name") SELECT "createdAt", "deletedAt", "description", "id", "key", "name" FROM "Task";
DROP TABLE "Task";
ALTER TABLE "new_Task" RENAME TO "Task";
CREATE UNIQUE INDEX "Task_key_key" ON "Task"("key");
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;

-- CreateIndex
CREATE INDEX "LossWeight_runId_epoch_idx" ON "LossWeight"("runId", "epoch");

-- CreateIndex
CREATE INDEX "BackboneStatistic_runId_epoch_idx" ON "BackboneStatistic"("runId", "epoch");
