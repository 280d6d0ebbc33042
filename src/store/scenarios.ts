/** Scenarios: where items are shown (home feed, search ...). */
import { ConflictError } from "../errors.ts";
import { rememberResult } from "./idempotency.ts";
import type { IdPrefix } from "./ids.ts";
import { keyedLists } from "./keyedList.ts";
import type { Scenario } from "./rows.ts";
import type { Database } from "./sqlite.ts";
import { orConflict } from "./uniqueKey.ts";

export interface NewScenario {
  readonly key: string;
  readonly name: string;
  readonly description: string;
}

export type Scenarios = ReturnType<typeof scenarioStore>;

export function scenarioStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    ...keyedLists<Scenario>(database.scenario),

    /** Throws ConflictError where the key is taken. */
    create({ key, name, description }: NewScenario): Promise<Scenario> {
      const data = { id: newId("scn"), key, name, description, createdAt: new Date() };
      return orConflict(
        database.$transaction(async (tx) => {
          const row = await tx.scenario.create({ data });
          await rememberResult(tx, row.id);
          return row;
        }),
        () =>
          new ConflictError(`scenario ${key}: expected a new key, but a scenario with this key is registered`, {
            field: "key",
            expected: "a key no scenario has",
            received: key,
            hint: "one that is deleted keeps its key: restore it with `restoreNode`",
          }),
      );
    },

    byIds(ids: readonly string[]): Promise<Scenario[]> {
      return database.scenario.findMany({ where: { id: { in: [...ids] } } });
    },

    byKeys(keys: readonly string[]): Promise<Scenario[]> {
      return database.scenario.findMany({ where: { key: { in: [...keys] } } });
    },
  };
}
