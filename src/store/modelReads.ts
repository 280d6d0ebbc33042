/** What is read of models, their versions and aliases: by key or id, many in one statement, and what a name is resolved by. */
import { Prisma } from "./client/client.ts";
import { modelByIdOrKey, noSuch } from "./modelForWork.ts";
import type { PageRequest } from "./page.ts";
import type { Model, ModelAlias, ModelTraffic, ModelVersion } from "./rows.ts";
import { trafficOf } from "./rows.ts";
import type { Database } from "./sqlite.ts";

/** All that a name such as `home_ranker@champion` is resolved by. */
export interface ServedModel {
  readonly model: Model;
  readonly aliases: readonly (ModelAlias & { readonly version: ModelVersion })[];
  readonly traffic: readonly ModelTraffic[];
  /** Null while there is none. */
  readonly latest: ModelVersion | null;
}

export function modelReads(database: Database) {
  return {
    /** Throws NotFoundError, also where it is deleted. */
    async served(idOrKey: string): Promise<ServedModel> {
      // The model first: what is changed after that has counted `changes` further than what is given here.
      const model = await modelByIdOrKey(database, idOrKey);
      if (model.deletedAt !== null) throw noSuch("model", "the id or key of a model", idOrKey);
      const where = { modelId: model.id };
      const [aliases, traffic, latest] = await Promise.all([
        database.modelAlias.findMany({ where, include: { version: true } }),
        database.modelTraffic.findMany({ where }),
        database.modelVersion.findFirst({ where, orderBy: { number: "desc" } }),
      ]);
      return { model, aliases, traffic: traffic.map(trafficOf), latest };
    },

    /** Null where it has none with this number. */
    versionByNumber(modelId: string, number: number): Promise<ModelVersion | null> {
      return database.modelVersion.findUnique({ where: { modelId_number: { modelId, number } } });
    },

    /** What tells that something is other than it was; models that are gone are left out. */
    changesByIds(ids: readonly string[]): Promise<Pick<Model, "id" | "changes" | "deletedAt">[]> {
      const select = { id: true, changes: true, deletedAt: true };
      return database.model.findMany({ where: { id: { in: [...ids] } }, select });
    },

    /**
     * A page of the versions that come from runs on each dataset, newest first; of each up to one version more than asked for,
     * which tells that there is a next page.
     */
    async versionPagesByDatasetIds(
      datasetIds: readonly string[],
      { first, after }: PageRequest,
    ): Promise<(ModelVersion & { readonly datasetId: string })[]> {
      if (datasetIds.length === 0) return [];
      const beyond = after === undefined ? Prisma.empty : Prisma.sql`AND own."id" < ${after}`;
      return database.$queryRaw<(ModelVersion & { datasetId: string })[]>`
        SELECT version.*, dataset."id" AS "datasetId" FROM "Dataset" AS dataset JOIN "ModelVersion" AS version ON version."id" IN (
          SELECT own."id" FROM "ModelRun" AS run JOIN "ModelVersion" AS own ON own."runId" = run."id"
          WHERE run."datasetId" = dataset."id" ${beyond} ORDER BY own."id" DESC LIMIT ${first + 1}
        )
        WHERE dataset."id" IN (${Prisma.join([...datasetIds])})
        ORDER BY version."id" DESC`;
    },

    /** Datasets that have none are left out. */
    async versionCountsByDatasetIds(datasetIds: readonly string[]): Promise<{ datasetId: string; count: number }[]> {
      if (datasetIds.length === 0) return [];
      const rows = await database.$queryRaw<{ datasetId: string; count: bigint }[]>`
        SELECT run."datasetId" AS "datasetId", count(*) AS "count"
        FROM "ModelRun" AS run JOIN "ModelVersion" AS version ON version."runId" = run."id"
        WHERE run."datasetId" IN (${Prisma.join([...datasetIds])}) GROUP BY run."datasetId"`;
      return rows.map(({ datasetId, count }) => ({ datasetId, count: Number(count) }));
    },

    byIds(ids: readonly string[]): Promise<Model[]> {
      return database.model.findMany({ where: { id: { in: [...ids] } } });
    },

    byKeys(keys: readonly string[]): Promise<Model[]> {
      return database.model.findMany({ where: { key: { in: [...keys] } } });
    },

    versionsByIds(ids: readonly string[]): Promise<ModelVersion[]> {
      return database.modelVersion.findMany({ where: { id: { in: [...ids] } } });
    },

    /**
     * A page of the versions of each model, newest first; of each up to one version more than asked for, which tells that
     * there is a next page.
     */
    async versionPagesByModelIds(modelIds: readonly string[], { first, after }: PageRequest): Promise<ModelVersion[]> {
      if (modelIds.length === 0) return [];
      const beyond =
        after === undefined
          ? Prisma.empty
          : Prisma.sql`AND own."number" < (SELECT "number" FROM "ModelVersion" WHERE "id" = ${after})`;
      return database.$queryRaw<ModelVersion[]>`
        SELECT version.* FROM "Model" AS model JOIN "ModelVersion" AS version ON version."id" IN (
          SELECT own."id" FROM "ModelVersion" AS own WHERE own."modelId" = model."id" ${beyond}
          ORDER BY own."number" DESC LIMIT ${first + 1}
        )
        WHERE model."id" IN (${Prisma.join([...modelIds])})
        ORDER BY version."number" DESC`;
    },

    async versionCountsByModelIds(modelIds: readonly string[]): Promise<{ modelId: string; count: number }[]> {
      const where = { modelId: { in: [...modelIds] } };
      const rows = await database.modelVersion.groupBy({ by: ["modelId"], where, _count: true });
      return rows.map(({ modelId, _count }) => ({ modelId, count: _count }));
    },

    /** Oldest first. */
    versionsByRunIds(runIds: readonly string[]): Promise<ModelVersion[]> {
      return database.modelVersion.findMany({ where: { runId: { in: [...runIds] } }, orderBy: { id: "asc" } });
    },

    /** By name. */
    aliasesByModelIds(modelIds: readonly string[]): Promise<ModelAlias[]> {
      return database.modelAlias.findMany({ where: { modelId: { in: [...modelIds] } }, orderBy: { name: "asc" } });
    },

    /** By name. */
    aliasesByVersionIds(versionIds: readonly string[]): Promise<ModelAlias[]> {
      return database.modelAlias.findMany({ where: { versionId: { in: [...versionIds] } }, orderBy: { name: "asc" } });
    },
  };
}
