/**
 * What stood in the fields of the rows that model versions have answered, counted by bin and day, and what stands there in
 * training: the two sides of a drift. What a bin is says src/services/drift/bins.ts.
 */
import { Prisma } from "./client/client.ts";
import { inChunks } from "./inChunks.ts";
import type { Database } from "./sqlite.ts";

export interface ServedBin {
  readonly versionId: string;
  /** UTC, as 2026-01-31. */
  readonly day: string;
  readonly scenarioKey: string;
  readonly column: string;
  readonly bin: number;
  /** At least 1. */
  readonly rows: number;
}

export interface DayRange {
  /** The first day and the last, UTC, as 2026-01-31. */
  readonly from: string;
  readonly to: string;
}

export type BinCount = Pick<ServedBin, "scenarioKey" | "column" | "bin" | "rows">;

export type ServedBins = ReturnType<typeof servedBinStore>;

export function servedBinStore(database: Database) {
  return {
    /** Adds to what is there; several processes add up. Those of versions that are gone are left out. All or none. */
    async addBins(bins: readonly ServedBin[]): Promise<void> {
      const statements = inChunks(bins, 160).map(
        (some) => database.$executeRaw`
          INSERT INTO "ServedBin" ("versionId", "day", "scenarioKey", "column", "bin", "rows")
          SELECT given.column1, given.column2, given.column3, given.column4, given.column5, given.column6
          FROM (VALUES ${Prisma.join(some.map(valuesOf))}) AS given
          WHERE EXISTS (SELECT 1 FROM "ModelVersion" AS version WHERE version."id" = given.column1)
          ON CONFLICT ("versionId", "day", "scenarioKey", "column", "bin")
          DO UPDATE SET "rows" = "ServedBin"."rows" + excluded."rows"`,
      );
      if (statements.length > 0) await database.$transaction(statements);
    },

    /** Summed over the days. */
    async binsOf(versionId: string, { from, to }: DayRange): Promise<BinCount[]> {
      const by = ["scenarioKey", "column", "bin"] as const;
      const where = { versionId, day: { gte: from, lte: to } };
      const groups = await database.servedBin.groupBy({ by: [...by], where, _sum: { rows: true } });
      return groups.map(({ _sum, ...group }) => ({ ...group, rows: _sum.rows ?? 0 }));
    },

    /** Null where it has not been made. */
    async trainingDistribution(datasetId: string): Promise<unknown> {
      const row = await database.trainingDistribution.findUnique({ where: { datasetId } });
      return row === null ? null : JSON.parse(row.content);
    },

    async keepTrainingDistribution(datasetId: string, distribution: object): Promise<void> {
      const content = JSON.stringify(distribution);
      const row = { datasetId, content };
      await database.trainingDistribution.upsert({ where: { datasetId }, create: row, update: { content } });
    },
  };
}

function valuesOf({ versionId, day, scenarioKey, column, bin, rows }: ServedBin): Prisma.Sql {
  return Prisma.sql`(${versionId}, ${day}, ${scenarioKey}, ${column}, ${bin}, ${rows})`;
}
