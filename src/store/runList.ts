/** Lists of runs: all of them filtered and ordered, and the pages of runs that each of many datasets has. */
import { invalid } from "./filters.ts";
import { Prisma } from "./client/client.ts";
import type { ModelRunModel } from "./client/models.ts";
import type { OrderColumn, Page, PageRequest } from "./page.ts";
import { byId, orderedPage, orderedQuery } from "./page.ts";
import type { Run } from "./rows.ts";
import { runOf } from "./rows.ts";
import { runWhere } from "./runFilter.ts";
import type { RunFilter, RunOrder } from "./runFilter.ts";
import type { Database } from "./sqlite.ts";

export interface RunList extends RunFilter {
  /** Default: newest first. */
  readonly orderBy?: RunOrder;
}

const newestFirst: RunOrder = { field: "CREATED_AT", direction: "DESC" };
const finishedAt: OrderColumn = { column: "finishedAt", type: "time" };
const metricValue: OrderColumn = { column: "value", type: "number" };

export function runLists(database: Database) {
  return {
    /** Throws InvalidInputError where the filter or the order cannot be. */
    async list({ first, after, value, orderBy = newestFirst, ...filter }: PageRequest & RunList): Promise<Page<Run>> {
      const page = { first, after, value };
      const { direction } = orderBy;
      const metric = metricOf(orderBy);
      if (metric) {
        const query = orderedQuery<Prisma.RunSummaryWhereInput>(page, metricValue, direction, "runId");
        const rows = await database.runSummary.findMany({
          ...query,
          where: { AND: [{ ...metric, run: { is: runWhere(filter) } }, query.where] },
          include: { run: true },
        });
        return orderedPage(rows, page, metricValue, ({ run }) => runOf(run));
      }
      const column = orderBy.field === "FINISHED_AT" ? finishedAt : byId;
      const query = orderedQuery<Prisma.ModelRunWhereInput>(page, column, direction);
      const where = { AND: [listed(filter, orderBy), query.where] };
      return orderedPage(await database.modelRun.findMany({ ...query, where }), page, column, runOf);
    },

    /** Of all pages. */
    async count({ orderBy = newestFirst, ...filter }: RunList): Promise<number> {
      const metric = metricOf(orderBy);
      if (metric) return database.runSummary.count({ where: { ...metric, run: { is: runWhere(filter) } } });
      return database.modelRun.count({ where: listed(filter, orderBy) });
    },

    /**
     * A page of the runs of each dataset, newest first, without deleted ones; of each up to one run more than asked for,
     * which tells that there is a next page.
     */
    async pagesByDatasetIds(datasetIds: readonly string[], { first, after }: PageRequest): Promise<Run[]> {
      if (datasetIds.length === 0) return [];
      const beyond = after === undefined ? Prisma.empty : Prisma.sql`AND own."id" < ${after}`;
      // Each dataset costs a walk along the index as long as its page, however many runs it has.
      const rows = await database.$queryRaw<ModelRunModel[]>`
        SELECT run.* FROM "Dataset" AS dataset JOIN "ModelRun" AS run ON run."id" IN (
          SELECT own."id" FROM "ModelRun" AS own
          WHERE own."datasetId" = dataset."id" AND own."deletedAt" IS NULL ${beyond}
          ORDER BY own."id" DESC LIMIT ${first + 1}
        )
        WHERE dataset."id" IN (${Prisma.join([...datasetIds])})
        ORDER BY run."id" DESC`;
      return rows.map(runOf);
    },

    /**
     * How each run came about: what it was made from, what that was made from, and so on to the run itself, which is the last.
     * Deleted ones too.
     */
    async chainsByIds(ids: readonly string[]): Promise<(Run & { readonly ofRunId: string })[]> {
      if (ids.length === 0) return [];
      const rows = await database.$queryRaw<(ModelRunModel & { readonly ofRunId: string })[]>`
        WITH RECURSIVE chain("ofRunId", "id", "depth") AS (
          SELECT "id", "id", 0 FROM "ModelRun" WHERE "id" IN (${Prisma.join([...ids])})
          UNION ALL
          SELECT chain."ofRunId", run."parentRunId", chain."depth" + 1
          FROM chain JOIN "ModelRun" AS run ON run."id" = chain."id" WHERE run."parentRunId" IS NOT NULL
        )
        SELECT run.*, chain."ofRunId" AS "ofRunId" FROM chain JOIN "ModelRun" AS run ON run."id" = chain."id"
        ORDER BY chain."depth" DESC`;
      return rows.map(({ ofRunId, ...row }) => ({ ...runOf(row), ofRunId }));
    },

    /** Without deleted ones; datasets that have none are left out. */
    async countsByDatasetIds(datasetIds: readonly string[]) {
      const where = { datasetId: { in: [...datasetIds] }, deletedAt: null };
      const rows = await database.modelRun.groupBy({ by: ["datasetId"], where, _count: true });
      return rows.map(({ datasetId, _count: count }) => ({ datasetId, count }));
    },
  };
}

/** What a cursor in a list of runs is good for. */
export function runOrderName({ field, direction, metric }: RunOrder): string {
  return ["runs", field, direction, ...(metric ? [metric.name, metric.split] : [])].join(" ");
}

/** Where the order leaves runs out, the filter does. */
function listed(filter: RunFilter, { field }: RunOrder): Prisma.ModelRunWhereInput {
  const where = runWhere(filter);
  return field === "FINISHED_AT" ? { AND: [where, { finishedAt: { not: null } }] } : where;
}

/** Null where the order is by something else. */
function metricOf({ field, metric }: RunOrder): { readonly name: string; readonly split: string } | null {
  if (field === "METRIC" && metric) return { name: metric.name, split: metric.split };
  if (field === "METRIC") throw invalid("orderBy.metric", "the metric to order by", "nothing");
  if (metric) throw invalid("orderBy.metric", `nothing, for the order is by ${field}`, metric.name);
  return null;
}
