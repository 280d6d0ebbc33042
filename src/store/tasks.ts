/** Tasks: what is predicted (click, long view ...). */
import { ConflictError } from "../errors.ts";
import { rememberResult } from "./idempotency.ts";
import type { IdPrefix } from "./ids.ts";
import { keyedLists } from "./keyedList.ts";
import type { Task } from "./rows.ts";
import type { Database } from "./sqlite.ts";
import { orConflict } from "./uniqueKey.ts";

export interface NewTask {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  /** Id of the task that must be 1 for this one to count; default: it always counts. */
  readonly onlyWhereId?: string;
}

export type Tasks = ReturnType<typeof taskStore>;

export function taskStore(database: Database, newId: (prefix: IdPrefix) => string) {
  return {
    ...keyedLists<Task>(database.task),

    /** Throws ConflictError where the key is taken. */
    create(task: NewTask): Promise<Task> {
      const { key } = task;
      const data = { id: newId("tsk"), ...task, createdAt: new Date() };
      return orConflict(
        database.$transaction(async (tx) => {
          const row = await tx.task.create({ data });
          await rememberResult(tx, row.id);
          return row;
        }),
        () =>
          new ConflictError(`task ${key}: expected a new key, but a task with this key is registered`, {
            field: "key",
            expected: "a key no task has",
            received: key,
            hint: "one that is deleted keeps its key: restore it with `restoreNode`",
          }),
      );
    },

    byIds(ids: readonly string[]): Promise<Task[]> {
      return database.task.findMany({ where: { id: { in: [...ids] } } });
    },

    byKeys(keys: readonly string[]): Promise<Task[]> {
      return database.task.findMany({ where: { key: { in: [...keys] } } });
    },
  };
}
