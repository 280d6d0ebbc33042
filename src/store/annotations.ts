/** Tags and notes of datasets, runs and models. Every change of either counts in `noteVersion` of the thing. */
import { ConflictError } from "../errors.ts";
import type { TagModel } from "./client/models.ts";
import { orNotFound } from "./found.ts";
import type { Dataset, Model, Run } from "./rows.ts";
import { datasetOf, runOf } from "./rows.ts";
import type { Database, DatabaseTransaction } from "./sqlite.ts";

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** A tag with the id of the thing it hangs on. */
export interface TagOf extends Tag {
  readonly ownerId: string;
}

export type AnnotatedRow = Dataset | Run | Model;

export interface Change {
  /** Of a dataset, run or model. */
  readonly id: string;
  /** The `noteVersion` that must be stored; default: any. */
  readonly expectedVersion?: number;
}

/** On one thing. */
const mostTags = 50;

type Owner = "datasetId" | "runId" | "modelId";

interface Annotatable {
  readonly what: string;
  readonly owner: Owner;
  find(tx: DatabaseTransaction, id: string): Promise<AnnotatedRow | null>;
  /** One more change. */
  update(tx: DatabaseTransaction, id: string, note?: { readonly note: string }): Promise<unknown>;
}

const counted = { noteVersion: { increment: 1 } };

/** By the letters before `_` in an id. */
const annotatables: Readonly<Record<string, Annotatable>> = {
  ds: {
    what: "dataset",
    owner: "datasetId",
    find: async (tx, id) => maybe(await tx.dataset.findUnique({ where: { id } }), datasetOf),
    update: (tx, id, note) => tx.dataset.update({ where: { id }, data: { ...note, ...counted } }),
  },
  run: {
    what: "run",
    owner: "runId",
    find: async (tx, id) => maybe(await tx.modelRun.findUnique({ where: { id } }), runOf),
    update: (tx, id, note) => tx.modelRun.update({ where: { id }, data: { ...note, ...counted } }),
  },
  mdl: {
    what: "model",
    owner: "modelId",
    find: (tx, id) => tx.model.findUnique({ where: { id } }),
    update: (tx, id, note) => tx.model.update({ where: { id }, data: { ...note, ...counted } }),
  },
};

export type Annotations = ReturnType<typeof annotationStore>;

export function annotationStore(database: Database) {
  /** Does `work`, which tells whether it changes anything, and answers the thing as it is then. */
  const changed = (
    { id, expectedVersion }: Change,
    work: (tx: DatabaseTransaction, row: AnnotatedRow, kind: Annotatable) => Promise<boolean>,
  ): Promise<AnnotatedRow> =>
    database.$transaction(async (tx) => {
      const kind = kindOf(id);
      const find = async () =>
        orNotFound((await kind?.find(tx, id)) ?? null, kind?.what ?? "dataset, run or model", id);
      const row = await find();
      if (expectedVersion !== undefined && expectedVersion !== row.noteVersion)
        throw otherVersion(row, expectedVersion);
      return (await work(tx, row, kind!)) ? find() : row;
    });

  return {
    /**
     * Gives the keys these values; tags with other keys stay. Throws NotFoundError, or ConflictError for another version, or
     * where there would be too many.
     */
    setTags({ tags, ...change }: Change & { readonly tags: readonly Tag[] }): Promise<AnnotatedRow> {
      return changed(change, async (tx, { id }, { owner, what, update }) => {
        const before = await tx.tag.findMany({ where: { [owner]: id } });
        const differing = tags.filter(
          (tag) => !before.some(({ key, value }) => key === tag.key && value === tag.value),
        );
        if (differing.length === 0) return false;
        const keys = differing.map(({ key }) => key);
        const count = before.filter(({ key }) => !keys.includes(key)).length + keys.length;
        if (count > mostTags) throw tooMany(what, id, count);
        await tx.tag.deleteMany({ where: { [owner]: id, key: { in: keys } } });
        await tx.tag.createMany({ data: differing.map(({ key, value }) => ({ [owner]: id, key, value })) });
        await update(tx, id);
        return true;
      });
    },

    /** Keys that it does not have are no fault. Throws NotFoundError, or ConflictError for another version. */
    removeTags({ keys, ...change }: Change & { readonly keys: readonly string[] }): Promise<AnnotatedRow> {
      return changed(change, async (tx, { id }, { owner, update }) => {
        const removed = await tx.tag.deleteMany({ where: { [owner]: id, key: { in: [...keys] } } });
        if (removed.count > 0) await update(tx, id);
        return removed.count > 0;
      });
    },

    /** Replaces it. Throws NotFoundError, or ConflictError for another version. */
    setNote({ note, ...change }: Change & { readonly note: string }): Promise<AnnotatedRow> {
      return changed(change, async (tx, row, { update }) => {
        if (row.note === note) return false;
        await update(tx, row.id, { note });
        return true;
      });
    },

    /** By key. */
    async tagsByOwnerIds(ids: readonly string[]): Promise<TagOf[]> {
      const of = (owner: Owner) => ids.filter((id) => kindOf(id)?.owner === owner);
      const rows = await database.tag.findMany({
        where: {
          OR: [
            { datasetId: { in: of("datasetId") } },
            { runId: { in: of("runId") } },
            { modelId: { in: of("modelId") } },
          ],
        },
        orderBy: { key: "asc" },
      });
      return rows.map(tagOf);
    },
  };
}

function kindOf(id: string): Annotatable | undefined {
  const prefix = id.split("_", 1)[0]!;
  return Object.hasOwn(annotatables, prefix) ? annotatables[prefix] : undefined;
}

function tagOf({ datasetId, runId, modelId, key, value }: TagModel): TagOf {
  return { ownerId: (datasetId ?? runId ?? modelId)!, key, value };
}

function maybe<Stored, Row>(stored: Stored | null, read: (stored: Stored) => Row): Row | null {
  return stored === null ? null : read(stored);
}

function otherVersion({ id, noteVersion }: AnnotatedRow, expectedVersion: number): ConflictError {
  const message = `expected tags and note of ${id} to be in version ${expectedVersion}, but they are in ${noteVersion}`;
  return new ConflictError(`expectedVersion: ${message}`, {
    field: "expectedVersion",
    expected: `version ${expectedVersion}`,
    received: `version ${noteVersion}`,
    hint: "somebody has changed them since they were read: read them again, and decide anew",
  });
}

function tooMany(what: string, id: string, count: number): ConflictError {
  return new ConflictError(`tags: expected at most ${mostTags} tags on a ${what}, but ${id} would have ${count}`, {
    field: "tags",
    expected: `at most ${mostTags} tags on a ${what}`,
    received: String(count),
    hint: "take others away first, with `removeTags`",
  });
}
