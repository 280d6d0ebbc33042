/** Scenarios: where items are shown (home feed, search ...). */
import { ConflictError } from "../errors.ts";
import type { IdPrefix } from "./ids.ts";
import type { Page, PageRequest } from "./page.ts";
import { pageOf, pageQuery } from "./page.ts";
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
    /** Throws ConflictError where the key is taken. */
    create({ key, name, description }: NewScenario): Promise<Scenario> {
      const data = { id: newId("scn"), key, name, description, createdAt: new Date() };
      return orConflict(
        database.scenario.create({ data }),
        () =>
          new ConflictError(`scenario ${key}: expected a new key, but a scenario with this key is registered`, {
            field: "key",
            expected: "a key no scenario has",
            received: key,
          }),
      );
    },

    /** In the order of registration. */
    async list(page: PageRequest): Promise<Page<Scenario>> {
      return pageOf(await database.scenario.findMany(pageQuery(page, "asc")), page);
    },

    byIds(ids: readonly string[]): Promise<Scenario[]> {
      return database.scenario.findMany({ where: { id: { in: [...ids] } } });
    },

    byKeys(keys: readonly string[]): Promise<Scenario[]> {
      return database.scenario.findMany({ where: { key: { in: [...keys] } } });
    },
  };
}
