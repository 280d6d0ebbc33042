/**
 * What a purge would take away, and what is in its way. With the things that are named go: of an experiment its trials and their
 * runs (which were deleted with it), of a run its batch predictions, exports, metrics and events, of a model its versions,
 * aliases, rules and traffic. Whatever else refers to one of them must be named too, or it is in the way.
 */
import { createHash } from "node:crypto";
import { ConflictError, InvalidInputError, NotFoundError } from "../errors.ts";
import { artifactUsers } from "./artifactUsers.ts";
import { dependentsOf } from "./dependents.ts";
import { inChunks } from "./inChunks.ts";
import type { PurgeBlocker, Purged, PurgedKind } from "./purged.ts";
import type { DatabaseTransaction } from "./sqlite.ts";

export interface PurgePlan {
  readonly goes: Purged;
  /** On the things that go. */
  readonly tags: number;
  readonly blockers: readonly PurgeBlocker[];
  /** Artifacts that nothing else refers to. */
  readonly hashes: readonly string[];
  readonly bytes: number;
  /** sha256 over all of the above: another one where anything has changed. */
  readonly fingerprint: string;
}

/** `field` is where the ids stand in the request. Throws InvalidInputError or NotFoundError for an id. */
export async function planPurge(tx: DatabaseTransaction, ids: readonly string[], field: string): Promise<PurgePlan> {
  const named = await namedRows(tx, ids, field);
  const goes = await withParts(tx, named);
  const blockers = [
    ...named.filter(({ deletedAt }) => deletedAt === null).map(({ id }) => notDeleted(id)),
    ...(await dependentsOf(tx, goes)),
  ];
  const tags = await countTags(tx, goes);
  const artifacts = await freeArtifacts(tx, goes);
  const deletions = named.map(({ id, deletedAt }) => [id, deletedAt?.toISOString() ?? null]).sort();
  const content = JSON.stringify([goes, tags, blockers, artifacts.hashes, artifacts.bytes, deletions]);
  const fingerprint = createHash("sha256").update(content).digest("hex");
  return { goes, tags, blockers, ...artifacts, fingerprint };
}

interface NamedRow {
  readonly kind: PurgedKind;
  readonly id: string;
  readonly deletedAt: Date | null;
}

async function namedRows(tx: DatabaseTransaction, ids: readonly string[], field: string): Promise<NamedRow[]> {
  const select = { id: true, deletedAt: true };
  const read = {
    scn: ["SCENARIO", (id: object) => tx.scenario.findMany({ where: { id }, select })],
    tsk: ["TASK", (id: object) => tx.task.findMany({ where: { id }, select })],
    ds: ["DATASET", (id: object) => tx.dataset.findMany({ where: { id }, select })],
    run: ["RUN", (id: object) => tx.modelRun.findMany({ where: { id }, select })],
    exp: ["EXPERIMENT", (id: object) => tx.experiment.findMany({ where: { id }, select })],
    mdl: ["MODEL", (id: object) => tx.model.findMany({ where: { id }, select })],
  } as const;
  const prefixOf = (id: string) => id.split("_", 1)[0]!;
  ids.forEach((id, index) => {
    if (Object.hasOwn(read, prefixOf(id))) return;
    throw invalidId(`${field}[${index}]`, id);
  });
  const rows: NamedRow[] = [];
  for (const [prefix, [kind, find]] of Object.entries(read)) {
    const some = [...new Set(ids.filter((id) => prefixOf(id) === prefix))];
    for (const chunk of inChunks(some)) rows.push(...(await find({ in: chunk })).map((row) => ({ kind, ...row })));
  }
  const known = new Set(rows.map(({ id }) => id));
  ids.forEach((id, index) => {
    if (!known.has(id)) throw noSuch(`${field}[${index}]`, id);
  });
  return rows;
}

async function withParts(tx: DatabaseTransaction, named: readonly NamedRow[]): Promise<Purged> {
  const of = (kind: PurgedKind) => named.filter((row) => row.kind === kind).map(({ id }) => id);
  const [experiments, models] = [of("EXPERIMENT"), of("MODEL")];
  const id = { select: { id: true } } as const;
  const trials = await collected(experiments, (some) =>
    tx.trial.findMany({ where: { experimentId: { in: some } }, ...id }),
  );
  const trialRuns = await collected(experiments, (some) =>
    tx.modelRun.findMany({ where: { trial: { experimentId: { in: some } }, deletedAt: { not: null } }, ...id }),
  );
  const runs = [...new Set([...of("RUN"), ...trialRuns])];
  const versions = await collected(models, (some) =>
    tx.modelVersion.findMany({ where: { modelId: { in: some } }, ...id }),
  );
  const batches = await collected(runs, (some) =>
    tx.batchPrediction.findMany({ where: { runId: { in: some } }, ...id }),
  );
  const exports = await collected(runs, (some) => tx.modelExport.findMany({ where: { runId: { in: some } }, ...id }));
  return {
    SCENARIO: of("SCENARIO").sort(),
    TASK: of("TASK").sort(),
    DATASET: of("DATASET").sort(),
    RUN: runs.sort(),
    EXPERIMENT: experiments.sort(),
    TRIAL: trials.sort(),
    MODEL: models.sort(),
    MODEL_VERSION: versions.sort(),
    BATCH_PREDICTION: batches.sort(),
    MODEL_EXPORT: exports.sort(),
  };
}

async function collected(
  ids: readonly string[],
  read: (some: string[]) => Promise<readonly { readonly id: string }[]>,
): Promise<string[]> {
  const found: string[] = [];
  for (const some of inChunks(ids)) found.push(...(await read(some)).map(({ id }) => id));
  return found;
}

async function countTags(tx: DatabaseTransaction, { RUN, DATASET, MODEL }: Purged): Promise<number> {
  let tags = 0;
  for (const some of inChunks(RUN)) tags += await tx.tag.count({ where: { runId: { in: some } } });
  for (const some of inChunks(DATASET)) tags += await tx.tag.count({ where: { datasetId: { in: some } } });
  for (const some of inChunks(MODEL)) tags += await tx.tag.count({ where: { modelId: { in: some } } });
  return tags;
}

async function freeArtifacts(tx: DatabaseTransaction, goes: Purged) {
  const going = new Set([...goes.RUN, ...goes.DATASET, ...goes.BATCH_PREDICTION, ...goes.MODEL_EXPORT]);
  const free: { readonly hash: string; readonly bytes: number }[] = [];
  for (const some of inChunks(await artifactsOf(tx, goes), 300)) {
    const uses = await artifactUsers(tx, some);
    const needed = new Set(uses.filter(({ userId }) => !going.has(userId)).map(({ hash }) => hash));
    const rows = await tx.artifact.findMany({ where: { hash: { in: some.filter((hash) => !needed.has(hash)) } } });
    free.push(...rows.map(({ hash, bytes }) => ({ hash, bytes: Number(bytes) })));
  }
  const bytes = free.reduce((sum, artifact) => sum + artifact.bytes, 0);
  return { hashes: free.map(({ hash }) => hash).sort(), bytes };
}

/** All that they refer to, each once. */
async function artifactsOf(tx: DatabaseTransaction, goes: Purged): Promise<string[]> {
  const hashes: (string | null)[] = [];
  for (const some of inChunks(goes.RUN)) {
    const select = { checkpointHash: true, trainingStateHash: true, predictionsHash: true };
    const runs = await tx.modelRun.findMany({ where: { id: { in: some } }, select });
    hashes.push(...runs.flatMap((run) => Object.values(run)));
  }
  for (const some of inChunks(goes.DATASET)) {
    const rows = await tx.datasetArtifact.findMany({ where: { datasetId: { in: some } } });
    hashes.push(...rows.map(({ artifactHash }) => artifactHash));
  }
  for (const some of inChunks(goes.BATCH_PREDICTION)) {
    const batches = await tx.batchPrediction.findMany({ where: { id: { in: some } }, include: { parts: true } });
    hashes.push(...batches.flatMap(({ artifactHash, parts }) => [artifactHash, ...parts.map((p) => p.artifactHash)]));
  }
  for (const some of inChunks(goes.MODEL_EXPORT)) {
    const rows = await tx.modelExport.findMany({ where: { id: { in: some } }, select: { artifactHash: true } });
    hashes.push(...rows.map(({ artifactHash }) => artifactHash));
  }
  return [...new Set(hashes)].filter((hash) => hash !== null);
}

function notDeleted(id: string): PurgeBlocker {
  return { id, needs: id, reason: "NOT_DELETED", deletedAt: null };
}

/** Throws ConflictError where something is in the way. `field` is where the ids stand in the request. */
export function assertUnblocked({ blockers }: PurgePlan, field: string): void {
  const [first] = blockers;
  if (!first) return;
  const more = blockers.length === 1 ? "" : `, and ${blockers.length - 1} more are in the way`;
  const but = {
    NOT_DELETED: `${first.id} is not deleted`,
    DEPENDS: `${first.id} needs ${first.needs}`,
    AT_WORK: `${first.id} has not ended`,
  }[first.reason];
  const expected = "things that are deleted, together with what depends on them";
  throw new ConflictError(`${field}: expected ${expected}, but ${but}${more}`, {
    field,
    expected,
    received: first.id,
    hint: "ask `purgePlan` for all that is in the way; delete it and name it too",
  });
}

function invalidId(field: string, id: string): InvalidInputError {
  const expected = "the id of a scenario, task, dataset, run, experiment or model";
  return new InvalidInputError(`${field}: expected ${expected}, got ${id}`, { field, expected, received: id });
}

function noSuch(field: string, id: string): NotFoundError {
  const expected = "the id of something that is there";
  const message = `${field}: expected ${expected}, but there is nothing with the id ${id}`;
  return new NotFoundError(message, { field, expected, received: id });
}
