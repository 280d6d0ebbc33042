/** The model registry: models under keys of their own, their versions (each from a run), and aliases that stand for a version. */
import { ConflictError, NotFoundError } from "../errors.ts";
import { Prisma } from "./client/client.ts";
import { orNotFound } from "./found.ts";
import { rememberResult } from "./idempotency.ts";
import type { IdPrefix } from "./ids.ts";
import { keyedLists } from "./keyedList.ts";
import { assertNotDeleted } from "./notDeleted.ts";
import { announce } from "./outbox.ts";
import type { PageRequest } from "./page.ts";
import type { Model, ModelAlias, ModelVersion } from "./rows.ts";
import type { Database, DatabaseTransaction } from "./sqlite.ts";
import { orConflict } from "./uniqueKey.ts";

export interface NewModel {
  readonly key: string;
  readonly name: string;
  readonly description: string;
}

export interface NewModelVersion {
  /** Id of the model, or its key. */
  readonly model: string;
  readonly runId: string;
  readonly description: string;
}

export interface AliasMove {
  /** Id of the model, or its key. */
  readonly model: string;
  readonly name: string;
  /** The number of the version it stands for from now on; null takes the alias away. */
  readonly version: number | null;
  /** The number it must stand for now, 0 where it must not exist; default: whatever it is. */
  readonly expectedVersion?: number;
}

export type Models = ReturnType<typeof modelStore>;

export function modelStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    ...keyedLists<Model>(database.model),

    /** Throws ConflictError where the key is taken. */
    create({ key, name, description }: NewModel): Promise<Model> {
      return orConflict(
        database.$transaction(async (tx) => {
          const data = { id: newId("mdl"), key, name, description, createdAt: new Date() };
          const row = await tx.model.create({ data });
          await rememberResult(tx, row.id);
          return row;
        }),
        () =>
          new ConflictError(`model ${key}: expected a new key, but a model with this key is registered`, {
            field: "key",
            expected: "a key no model has",
            received: key,
            hint: "one that is deleted keeps its key: restore it with `restoreNode`",
          }),
      );
    },

    /**
     * The next version of the model, from a run that SUCCEEDED; where the run is one of its versions already, that one, with
     * `created` false. Throws NotFoundError, or ConflictError where the model or the run is deleted or the run has no model.
     */
    createVersion(version: NewModelVersion): Promise<{ readonly version: ModelVersion; readonly created: boolean }> {
      return database.$transaction(async (tx) => {
        const model = await modelForWork(tx, version.model);
        const { runId, description } = version;
        const run = orNotFound(await tx.modelRun.findUnique({ where: { id: runId } }), "run", runId);
        const same = await tx.modelVersion.findUnique({ where: { modelId_runId: { modelId: model.id, runId } } });
        if (same !== null) return { version: same, created: false };
        assertNotDeleted(run, "run", "run");
        if (run.state !== "SUCCEEDED" || run.checkpointHash === null) throw hasNoModel(run);
        // Whoever made the last one had the same lock, so the numbers have no gaps.
        const last = await tx.modelVersion.aggregate({ where: { modelId: model.id }, _max: { number: true } });
        const number = (last._max.number ?? 0) + 1;
        const id = newId("mdv");
        const row = await tx.modelVersion.create({
          data: { id, modelId: model.id, number, runId, description, createdAt: new Date() },
        });
        await rememberResult(tx, id);
        await announce(tx, "model.version_created", id, {
          model: model.id,
          key: model.key,
          version: number,
          run: runId,
        });
        return { version: row, created: true };
      });
    },

    /**
     * Makes an alias stand for another version, or takes it away. Gives the model with the alias, which is null where it is
     * gone. Throws NotFoundError for a model, version or alias there is not, ConflictError where the alias does not stand for
     * the expected version or the model is deleted.
     */
    moveAlias(move: AliasMove): Promise<{ readonly model: Model; readonly alias: ModelAlias | null }> {
      return database.$transaction(async (tx) => {
        const model = await modelForWork(tx, move.model);
        const where = { modelId_name: { modelId: model.id, name: move.name } };
        const alias = await tx.modelAlias.findUnique({ where, include: { version: true } });
        const before = alias?.version.number ?? null;
        if (move.expectedVersion !== undefined && move.expectedVersion !== (before ?? 0))
          throw movedMeanwhile(move, before);
        if (move.version === null) {
          if (alias === null) throw noSuch("alias", `an alias of model ${model.key}`, move.name);
          await tx.modelAlias.delete({ where });
        } else {
          if (alias && move.version === before) return { model, alias };
          const version = await tx.modelVersion.findUnique({
            where: { modelId_number: { modelId: model.id, number: move.version } },
          });
          if (version === null) throw noSuch("version", `the number of a version of model ${model.key}`, move.version);
          const now = { versionId: version.id, movedAt: new Date() };
          await tx.modelAlias.upsert({ where, create: { modelId: model.id, name: move.name, ...now }, update: now });
        }
        const content = { model: model.id, key: model.key, alias: move.name, version: move.version, before };
        await announce(tx, "model.alias_moved", model.id, content);
        return { model, alias: await tx.modelAlias.findUnique({ where }) };
      });
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

/** By id or key, locked until the commit, so that what is read of its versions and aliases stays so. */
async function modelForWork(tx: DatabaseTransaction, idOrKey: string): Promise<Model> {
  const found = await tx.model.findFirst({ where: { OR: [{ id: idOrKey }, { key: idOrKey }] } });
  if (found === null) throw noSuch("model", "the id or key of a model", idOrKey);
  // A write that changes nothing, because it locks the row in every database.
  const model = await tx.model.update({ where: { id: found.id }, data: { key: found.key } });
  assertNotDeleted(model, "model", "model");
  return model;
}

function noSuch(field: string, expected: string, received: string | number): NotFoundError {
  const message = `${field} ${received}: expected ${expected}, but there is none`;
  return new NotFoundError(message, { field, expected, received: String(received) });
}

function hasNoModel({ id, state }: { readonly id: string; readonly state: string }): ConflictError {
  const expected = "a run in state SUCCEEDED";
  return new ConflictError(`run ${id}: expected ${expected}, but it is ${state}`, {
    field: "run",
    expected,
    received: state,
    hint: "versions come from finished models; wait for its end, or train it again",
  });
}

function movedMeanwhile({ name, expectedVersion }: AliasMove, before: number | null): ConflictError {
  const said = (number: number | null): string => (number ? `version ${number}` : "no version");
  const expected = `it to stand for ${said(expectedVersion!)}`;
  return new ConflictError(`alias ${name}: expected ${expected}, but it stands for ${said(before)}`, {
    field: "expectedVersion",
    expected,
    received: said(before),
    hint: "somebody has moved it meanwhile; look again before you move it",
  });
}
