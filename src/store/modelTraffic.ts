/** Shadows and canaries: requests of an alias that a second version answers as well, and by how much the answers differ. */
import { ConflictError } from "../errors.ts";
import { modelForWork, noSuch } from "./modelForWork.ts";
import type { Model, ModelTraffic, TrafficDifference, TrafficKind } from "./rows.ts";
import { trafficOf } from "./rows.ts";
import type { Database, DatabaseTransaction } from "./sqlite.ts";

interface TrafficAddress {
  /** Id of the model, or its key. */
  readonly model: string;
  readonly alias: string;
  /** `version` of the traffic as it must be now, 0 where there must be none; default: whatever it is. */
  readonly expectedVersion?: number;
}

export interface NewTraffic extends TrafficAddress {
  /** Name of an alias, or the number of a version. */
  readonly other: string | number;
  readonly kind: TrafficKind;
  /** Of the requests, in [0, 1]. */
  readonly share: number;
}

/** What is known of one pair of versions in one cell; all but the times are added to what was recorded before. */
export type DifferenceSums = Omit<TrafficDifference, "firstAt" | "lastAt">;

export type ModelTraffics = ReturnType<typeof modelTrafficStore>;

export function modelTrafficStore(database: Database) {
  return {
    /**
     * What was recorded of the alias before stays. Throws NotFoundError for a model, alias or version there is not, ConflictError
     * where the model is deleted or the version is not the expected one.
     */
    set({
      other,
      kind,
      share,
      ...address
    }: NewTraffic): Promise<{ readonly model: Model; readonly traffic: ModelTraffic }> {
      return database.$transaction(async (tx) => {
        const { model, where } = await trafficForWork(tx, address);
        await assertAlias(tx, model, "alias", address.alias);
        if (typeof other === "string") await assertAlias(tx, model, "other", other);
        else await assertVersion(tx, model, other);
        const now = {
          otherAlias: typeof other === "string" ? other : null,
          otherNumber: typeof other === "number" ? other : null,
          kind,
          share,
          version: model.changes,
          setAt: new Date(),
        };
        const create = { modelId: model.id, alias: address.alias, ...now };
        return { model, traffic: trafficOf(await tx.modelTraffic.upsert({ where, create, update: now })) };
      });
    },

    /** With what was recorded. Throws NotFoundError where there is none, ConflictError as above. */
    remove(address: TrafficAddress): Promise<Model> {
      return database.$transaction(async (tx) => {
        const { model, where, before } = await trafficForWork(tx, address);
        if (before === null) throw noSuch("alias", `an alias of model ${model.key} with traffic`, address.alias);
        await tx.modelTraffic.delete({ where });
        return model;
      });
    },

    /** By alias. */
    async byModelIds(modelIds: readonly string[]): Promise<ModelTraffic[]> {
      const where = { modelId: { in: [...modelIds] } };
      return (await database.modelTraffic.findMany({ where, orderBy: { alias: "asc" } })).map(trafficOf);
    },

    /** By scenario and task. */
    differencesByModelIds(modelIds: readonly string[]): Promise<TrafficDifference[]> {
      return database.trafficDifference.findMany({
        where: { modelId: { in: [...modelIds] } },
        orderBy: [{ scenarioKey: "asc" }, { taskKey: "asc" }],
      });
    },

    /** Adds up, whoever else does the same; what belongs to traffic that is gone is left out. */
    addDifferences(sums: readonly DifferenceSums[]): Promise<void> {
      return database.$transaction(async (tx) => {
        for (const one of sums) await addSums(tx, one, new Date());
      });
    },
  };
}

async function trafficForWork(tx: DatabaseTransaction, { model: idOrKey, alias, expectedVersion }: TrafficAddress) {
  const model = await modelForWork(tx, idOrKey);
  const where = { modelId_alias: { modelId: model.id, alias } };
  const before = await tx.modelTraffic.findUnique({ where });
  if (expectedVersion !== undefined && expectedVersion !== (before?.version ?? 0)) {
    throw changedMeanwhile(alias, expectedVersion, before?.version ?? 0);
  }
  return { model, where, before };
}

async function assertAlias(tx: DatabaseTransaction, model: Model, field: string, name: string): Promise<void> {
  const found = await tx.modelAlias.findUnique({ where: { modelId_name: { modelId: model.id, name } } });
  if (found === null) throw noSuch(field, `an alias of model ${model.key}`, name);
}

async function assertVersion(tx: DatabaseTransaction, model: Model, number: number): Promise<void> {
  const found = await tx.modelVersion.findUnique({ where: { modelId_number: { modelId: model.id, number } } });
  if (found === null) throw noSuch("other", `the number of a version of model ${model.key}`, number);
}

async function addSums(tx: DatabaseTransaction, own: DifferenceSums, now: Date): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO "TrafficDifference" ("modelId", "alias", "version", "other", "scenarioKey", "taskKey", "rows", "sum",
      "otherSum", "absoluteSum", "largest", "moreThan001", "moreThan01", "firstAt", "lastAt")
    SELECT ${own.modelId}, ${own.alias}, ${own.version}, ${own.other}, ${own.scenarioKey}, ${own.taskKey}, ${own.rows},
      ${own.sum}, ${own.otherSum}, ${own.absoluteSum}, ${own.largest}, ${own.moreThan001}, ${own.moreThan01}, ${now}, ${now}
    WHERE EXISTS (SELECT 1 FROM "ModelTraffic" WHERE "modelId" = ${own.modelId} AND "alias" = ${own.alias})
    ON CONFLICT ("modelId", "alias", "version", "other", "scenarioKey", "taskKey") DO UPDATE SET
      "rows" = "TrafficDifference"."rows" + excluded."rows",
      "sum" = "TrafficDifference"."sum" + excluded."sum",
      "otherSum" = "TrafficDifference"."otherSum" + excluded."otherSum",
      "absoluteSum" = "TrafficDifference"."absoluteSum" + excluded."absoluteSum",
      "largest" = CASE WHEN excluded."largest" > "TrafficDifference"."largest" THEN excluded."largest"
        ELSE "TrafficDifference"."largest" END,
      "moreThan001" = "TrafficDifference"."moreThan001" + excluded."moreThan001",
      "moreThan01" = "TrafficDifference"."moreThan01" + excluded."moreThan01",
      "lastAt" = excluded."lastAt"`;
}

function changedMeanwhile(alias: string, expectedVersion: number, version: number): ConflictError {
  const said = (number: number): string => (number === 0 ? "no traffic" : `traffic of version ${number}`);
  return new ConflictError(`alias ${alias}: expected ${said(expectedVersion)}, but there is ${said(version)}`, {
    field: "expectedVersion",
    expected: said(expectedVersion),
    received: said(version),
    hint: "somebody has changed it meanwhile; look again before you change it",
  });
}
