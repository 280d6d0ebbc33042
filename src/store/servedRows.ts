/** Rows that model versions have answered and that their sender can name, and the labels that are told of them later. */
import { Prisma } from "./client/client.ts";
import { inChunks } from "./inChunks.ts";
import type { DayRange } from "./servedBins.ts";
import type { Database } from "./sqlite.ts";

/** Days for which a row is kept, from the one it was answered on. */
export const servedRowDays = 30;

/** Rows one statement takes away: others write in between. */
const atOnce = 5000;

export interface ServedRow {
  readonly modelId: string;
  readonly versionId: string;
  /** The sender's name of it. */
  readonly rowId: string;
  readonly scenarioKey: string;
  /** UTC, as 2026-01-31. */
  readonly day: string;
  /** By task. */
  readonly probabilities: Readonly<Record<string, number>>;
}

export type Label = 0 | 1;

export interface Outcome {
  readonly rowId: string;
  readonly task: string;
  readonly label: Label;
}

/**
 * - `RECORDED`: it is new.
 * - `SAME`: the same label stands there.
 * - `OTHER_LABEL`: the other one stands there, and stays.
 * - `UNKNOWN_ROW`: the model has answered no such row in the days that rows are kept.
 * - `UNKNOWN_TASK`: it has, but not for this task.
 */
export type OutcomeState = "RECORDED" | "SAME" | "OTHER_LABEL" | "UNKNOWN_ROW" | "UNKNOWN_TASK";

export interface LabelledRow {
  readonly day: string;
  readonly rowId: string;
  readonly scenarioKey: string;
  readonly probabilities: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, Label>>;
}

export type ServedRows = ReturnType<typeof servedRowStore>;

export function servedRowStore(database: Database) {
  return {
    /**
     * Of a row that a version answers again the newest answer counts, and labels stay. No two of the rows may be the same one of
     * the same version. Those of versions that are gone are left out. All or none.
     */
    async keepRows(rows: readonly ServedRow[]): Promise<void> {
      const statements = inChunks(rows, 160).map(
        (some) => database.$executeRaw`
          INSERT INTO "ServedRow" ("modelId", "rowId", "versionId", "scenarioKey", "day", "probabilities")
          SELECT given.column1, given.column2, given.column3, given.column4, given.column5, given.column6
          FROM (VALUES ${Prisma.join(some.map(valuesOf))}) AS given
          WHERE EXISTS (SELECT 1 FROM "ModelVersion" AS version WHERE version."id" = given.column3)
          ON CONFLICT ("modelId", "rowId", "versionId") DO UPDATE SET
            "scenarioKey" = excluded."scenarioKey", "day" = excluded."day", "probabilities" = excluded."probabilities"`,
      );
      if (statements.length === 1) await statements[0];
      else if (statements.length > 1) await database.$transaction(statements);
    },

    /**
     * Tells labels of rows that versions of the model have answered, at most 500 of them; answers what became of each. Where
     * several versions have answered a row it is told of all of them.
     */
    recordOutcomes(modelId: string, outcomes: readonly Outcome[]): Promise<OutcomeState[]> {
      return database.$transaction(async (tx) => {
        const rowIds = [...new Set(outcomes.map(({ rowId }) => rowId))];
        const select = { rowId: true, probabilities: true, labels: true };
        const rows = await tx.servedRow.findMany({ where: { modelId, rowId: { in: rowIds } }, select });
        const known = new Map<string, { tasks: Set<string>; labels: Map<string, Label>; isChanged: boolean }>();
        for (const { rowId, probabilities, labels } of rows) {
          const entry = known.get(rowId) ?? { tasks: new Set(), labels: new Map(), isChanged: false };
          for (const task of Object.keys(JSON.parse(probabilities))) entry.tasks.add(task);
          for (const [task, label] of Object.entries(parsed(labels))) entry.labels.set(task, label);
          known.set(rowId, entry);
        }
        const states = outcomes.map(({ rowId, task, label }): OutcomeState => {
          const row = known.get(rowId);
          if (!row) return "UNKNOWN_ROW";
          if (!row.tasks.has(task)) return "UNKNOWN_TASK";
          const told = row.labels.get(task);
          if (told !== undefined) return told === label ? "SAME" : "OTHER_LABEL";
          row.labels.set(task, label);
          row.isChanged = true;
          return "RECORDED";
        });
        const changed = [...known].filter(([, { isChanged }]) => isChanged);
        for (const some of inChunks(changed, 150)) {
          const ids = some.map(([rowId]) => rowId);
          const cases = some.map(([rowId, { labels }]) => {
            return Prisma.sql`WHEN ${rowId} THEN ${JSON.stringify(Object.fromEntries(labels))}`;
          });
          // Joined with the values the rows would be found one scan each.
          await tx.$executeRaw`
            UPDATE "ServedRow" SET "isLabelled" = true, "labels" = CASE "rowId" ${Prisma.join(cases, " ")} END
            WHERE "modelId" = ${modelId} AND "rowId" IN (${Prisma.join(ids)})`;
        }
        return states;
      });
    },

    /** How many rows of the version have a label, at most `most`. */
    async countLabelled(versionId: string, { from, to }: DayRange, most: number): Promise<number> {
      return database.servedRow.count({
        where: { versionId, isLabelled: true, day: { gte: from, lte: to } },
        take: most,
      });
    },

    /** Those with a label, by day and name, `first` after `after`. */
    async labelledRows(
      versionId: string,
      { from, to }: DayRange,
      { first, after }: { readonly first: number; readonly after?: Pick<LabelledRow, "day" | "rowId"> },
    ): Promise<LabelledRow[]> {
      const beyond = after ? Prisma.sql`AND ("day", "rowId") > (${after.day}, ${after.rowId})` : Prisma.empty;
      const rows = await database.$queryRaw<Record<keyof LabelledRow, string>[]>`
        SELECT "day", "rowId", "scenarioKey", "probabilities", "labels" FROM "ServedRow"
        WHERE "versionId" = ${versionId} AND "isLabelled" = true AND "day" BETWEEN ${from} AND ${to} ${beyond}
        ORDER BY "day", "rowId" LIMIT ${first}`;
      return rows.map(({ probabilities, labels, ...row }) => {
        return { ...row, probabilities: JSON.parse(probabilities), labels: parsed(labels) };
      });
    },

    /** Takes away the rows whose days are over. */
    async forgetOldRows(): Promise<void> {
      const day = new Date(Date.now() - servedRowDays * 86_400_000).toISOString().slice(0, 10);
      let gone = atOnce;
      while (gone === atOnce) {
        gone = await database.$executeRaw`
          DELETE FROM "ServedRow" WHERE ("modelId", "rowId", "versionId") IN (
            SELECT "modelId", "rowId", "versionId" FROM "ServedRow" WHERE "day" < ${day} LIMIT ${atOnce})`;
      }
    },
  };
}

function valuesOf({ modelId, rowId, versionId, scenarioKey, day, probabilities }: ServedRow): Prisma.Sql {
  const text = JSON.stringify(probabilities);
  return Prisma.sql`(${modelId}, ${rowId}, ${versionId}, ${scenarioKey}, ${day}, ${text})`;
}

function parsed(labels: string | null): Readonly<Record<string, Label>> {
  return labels === null ? {} : JSON.parse(labels);
}
