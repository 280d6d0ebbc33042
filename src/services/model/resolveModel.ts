/**
 * From the name by which a request asks for a model to the version, and the run, that answers it:
 *
 *   key            the version `champion` stands for; where there is no such alias the newest
 *   key@alias      the version the alias stands for
 *   key@latest     the newest version
 *   key@3          version 3
 */
import { NotFoundError } from "../../errors.ts";
import type { ServedModel } from "../../store/modelReads.ts";
import type { Model, ModelTraffic, ModelVersion, Run, TrafficKind } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import { withField } from "../withField.ts";

export interface ResolvedModel {
  readonly model: Model;
  readonly version: ModelVersion;
  readonly run: Run;
  /** Through which it was found; null where it was named by number, or is the newest. */
  readonly alias: string | null;
  /** A second version that answers a share of the requests of the alias as well; null where none does. */
  readonly compared: ComparedVersion | null;
}

export interface ComparedVersion {
  readonly version: ModelVersion;
  readonly run: Run;
  /** SHADOW: the first version is what the caller gets. CANARY: of the share it is the second. */
  readonly kind: TrafficKind;
  /** Of the requests, in [0, 1]. */
  readonly share: number;
}

export interface ModelResolver {
  /** `field`: where the name stands in the request. Throws NotFoundError. */
  resolve(name: string, field: string): Promise<ResolvedModel>;
  /** To be called after a change that this process has made, so that the next request sees it. */
  forget(): void;
}

/** The alias that a key alone stands for. */
const usualAlias = "champion";
/** A change that another process has made is seen after this many milliseconds at most. */
const checkEveryMs = 1_000;
/** Names that are remembered. */
const capacity = 1_000;

/** Throws NotFoundError for a model (also one that is deleted), an alias or a version there is not. */
export function resolveModel(store: Store, name: string, field: string): Promise<ResolvedModel> {
  return withField(pathsTo(field), () => resolved(store, name));
}

/** Remembers what names stand for. `now`: milliseconds, by a clock that goes on. */
export function createModelResolver(store: Store, now: () => number = () => performance.now()): ModelResolver {
  /** Those named longest ago first. A new one after every change: what was asked for before it is not put into it. */
  let known = new Map<string, Promise<ResolvedModel>>();
  let checkedAt = now();
  let checking: Promise<void> | null = null;

  /** One statement for all that is remembered. */
  const check = async (): Promise<void> => {
    checkedAt = now();
    const found = await Promise.allSettled(
      [...known].map(async ([name, answer]) => ({ name, answer, ...(await answer) })),
    );
    const remembered = found.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const ids = [...new Set(remembered.map(({ model }) => model.id))];
    const changes = new Map((await store.models.changesByIds(ids)).map((row) => [row.id, row]));
    for (const { name, answer, model } of remembered) {
      const row = changes.get(model.id);
      const isSame = row !== undefined && row.deletedAt === null && row.changes === model.changes;
      if (!isSame && known.get(name) === answer) known.delete(name);
    }
  };

  const ask = (name: string): Promise<ResolvedModel> => {
    const into = known;
    const answer = resolved(store, name);
    into.set(name, answer);
    if (into.size > capacity) into.delete(into.keys().next().value!);
    // What is not there is looked for again by whoever asks next.
    answer.catch(() => into.get(name) === answer && into.delete(name));
    return answer;
  };

  return {
    async resolve(name, field) {
      if (checking !== null || (known.size > 0 && now() - checkedAt >= checkEveryMs)) {
        checking ??= check().finally(() => (checking = null));
        await checking;
      }
      const answer = known.get(name) ?? ask(name);
      return withField(pathsTo(field), () => answer);
    },
    forget() {
      known = new Map();
    },
  };
}

const pathsTo = (field: string) => ({ model: field, alias: field, version: field });

async function resolved(store: Store, name: string): Promise<ResolvedModel> {
  const at = name.indexOf("@");
  const [key, word] = at === -1 ? [name, null] : [name.slice(0, at), name.slice(at + 1)];
  const served = await store.models.served(key);
  const { version, alias } = await versionOf(store, served, word);
  const traffic = alias === null ? undefined : served.traffic.find((one) => one.alias === alias);
  const [run, compared] = await Promise.all([
    store.runs.get(version.runId),
    traffic ? comparedVersion(store, served, traffic) : null,
  ]);
  return { model: served.model, version, run, alias, compared: compared?.version.id === version.id ? null : compared };
}

async function versionOf(
  store: Store,
  { model, aliases, latest }: ServedModel,
  word: string | null,
): Promise<{ readonly version: ModelVersion; readonly alias: string | null }> {
  if (word !== null && /^\d{1,9}$/.test(word)) {
    const version = await store.models.versionByNumber(model.id, Number(word));
    if (version) return { version, alias: null };
    throw noSuch("version", word, `the number of a version of model ${model.key}`);
  }
  const alias = aliases.find((one) => one.name === (word ?? usualAlias));
  if (alias) return { version: alias.version, alias: alias.name };
  if (word !== null && word !== "latest") throw noSuch("alias", word, `an alias of model ${model.key}`);
  if (latest) return { version: latest, alias: null };
  throw noSuch("version", word ?? "latest", `a version of model ${model.key}`);
}

/** Null where the other alias is gone. */
async function comparedVersion(
  store: Store,
  { model, aliases }: ServedModel,
  { otherAlias, otherNumber, kind, share }: ModelTraffic,
): Promise<ComparedVersion | null> {
  const version =
    otherNumber === null
      ? aliases.find(({ name }) => name === otherAlias)?.version
      : await store.models.versionByNumber(model.id, otherNumber);
  return version ? { version, run: await store.runs.get(version.runId), kind, share } : null;
}

function noSuch(field: string, received: string, expected: string): NotFoundError {
  const shown = received.slice(0, 100);
  return new NotFoundError(`${field} ${shown}: expected ${expected}, but there is none`, {
    field,
    expected,
    received: shown,
  });
}
