/** The model registry: models under keys of their own, their versions (each from a run), and aliases that stand for a version. */
import { ConflictError } from "../errors.ts";
import { orNotFound } from "./found.ts";
import { rememberResult } from "./idempotency.ts";
import type { IdPrefix } from "./ids.ts";
import { keyedLists } from "./keyedList.ts";
import { modelByIdOrKey, modelForWork, noSuch } from "./modelForWork.ts";
import { modelReads } from "./modelReads.ts";
import { assertNotDeleted } from "./notDeleted.ts";
import { announce } from "./outbox.ts";
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
  /** Ids of the promotion rules that were found to hold; default: it is not looked whether there are any. */
  readonly heldRules?: readonly string[];
}

/** What a move is judged by before it is made. */
export interface PlannedMove {
  readonly model: Model;
  /** The version the alias stands for now; null where there is no such alias. */
  readonly before: ModelVersion | null;
  readonly version: ModelVersion;
}

export type Models = ReturnType<typeof modelStore>;

export function modelStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    ...keyedLists<Model>(database.model),
    ...modelReads(database),

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
          const version = await versionOf(tx, model, move.version);
          if (move.heldRules) await assertSameRules(tx, model, move.name, move.heldRules);
          const now = { versionId: version.id, movedAt: new Date() };
          await tx.modelAlias.upsert({ where, create: { modelId: model.id, name: move.name, ...now }, update: now });
        }
        const content = { model: model.id, key: model.key, alias: move.name, version: move.version, before };
        await announce(tx, "model.alias_moved", model.id, content);
        return { model, alias: await tx.modelAlias.findUnique({ where }) };
      });
    },

    /** Throws NotFoundError for a model or version there is not, ConflictError where the model is deleted. */
    async plannedMove(move: Pick<AliasMove, "model" | "name"> & { readonly version: number }): Promise<PlannedMove> {
      const model = await modelByIdOrKey(database, move.model);
      assertNotDeleted(model, "model", "model");
      const where = { modelId_name: { modelId: model.id, name: move.name } };
      const alias = await database.modelAlias.findUnique({ where, include: { version: true } });
      return { model, before: alias?.version ?? null, version: await versionOf(database, model, move.version) };
    },
  };
}

async function versionOf(tx: Database | DatabaseTransaction, model: Model, number: number): Promise<ModelVersion> {
  const version = await tx.modelVersion.findUnique({ where: { modelId_number: { modelId: model.id, number } } });
  if (version === null) throw noSuch("version", `the number of a version of model ${model.key}`, number);
  return version;
}

async function assertSameRules(
  tx: DatabaseTransaction,
  model: Model,
  alias: string,
  held: readonly string[],
): Promise<void> {
  const rules = await tx.promotionRule.findMany({ where: { modelId: model.id, alias }, select: { id: true } });
  const added = rules.find(({ id }) => !held.includes(id));
  if (added === undefined) return;
  const expected = "the promotion rules that were looked at";
  throw new ConflictError(`alias ${alias}: expected ${expected}, but ${added.id} is not among them`, {
    field: "alias",
    expected,
    received: added.id,
    hint: "ask again: then it is looked at too",
  });
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
