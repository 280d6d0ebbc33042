/** Registers a task under a new key. */
import { z } from "zod";
import { assertNotDeleted } from "../store/notDeleted.ts";
import type { Task } from "../store/rows.ts";
import type { Installation } from "./installation.ts";
import { keyedMembers, named } from "./key.ts";
import { parseInput, refusal, shown, withoutNulls } from "./parseInput.ts";
import { withField } from "./withField.ts";

const taskInput = z.strictObject({ ...keyedMembers, onlyWhere: z.string().optional() });

/**
 * Throws InvalidInputError for a key that is none and for a condition that is not registered, ConflictError for a key that is
 * taken and for a condition that is deleted.
 */
export async function registerTask({ store }: Installation, input: unknown): Promise<Task> {
  const { onlyWhere, ...task } = named(parseInput(taskInput, withoutNulls(input), "input"));
  const condition = onlyWhere === undefined ? {} : { onlyWhereId: await conditionId({ store }, onlyWhere) };
  return withField({ key: "input.key" }, () => store.tasks.create({ ...task, ...condition }));
}

async function conditionId({ store }: Pick<Installation, "store">, key: string): Promise<string> {
  const field = "input.onlyWhere";
  const [task] = await store.tasks.byKeys([key]);
  if (!task) throw refusal(field, "the key of a registered task", shown(key), "register it with `registerTask` first");
  assertNotDeleted(task, "task", field);
  return task.id;
}
