/** Tasks: what is predicted (click, long view ...). */
import { ConflictError } from "../errors.ts";
import type { IdPrefix } from "./ids.ts";
import type { Page, PageRequest } from "./page.ts";
import { pageOf, pageQuery } from "./page.ts";
import type { Task } from "./rows.ts";
import type { Database } from "./sqlite.ts";
import { orConflict } from "./uniqueKey.ts";

export interface NewTask {
  readonly key: string;
  readonly name: string;
  readonly description: string;
}

export type Tasks = ReturnType<typeof taskStore>;

export function taskStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    /** Throws ConflictError where the key is taken. */
    create({ key, name, description }: NewTask): Promise<Task> {
      const data = { id: newId("tsk"), key, name, description, createdAt: new Date() };
      return orConflict(
        database.task.create({ data }),
        () =>
          new ConflictError(`task ${key}: expected a new key, but a task with this key is registered`, {
            field: "key",
            expected: "a key no task has",
            received: key,
          }),
      );
    },

    /** In the order of registration. */
    async list(page: PageRequest): Promise<Page<Task>> {
      return pageOf(await database.task.findMany(pageQuery(page, "asc")), page);
    },

    byIds(ids: readonly string[]): Promise<Task[]> {
      return database.task.findMany({ where: { id: { in: [...ids] } } });
    },

    byKeys(keys: readonly string[]): Promise<Task[]> {
      return database.task.findMany({ where: { key: { in: [...keys] } } });
    },
  };
}
