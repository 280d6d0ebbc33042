/** Registers a task under a new key. */
import type { Task } from "../store/rows.ts";
import type { Installation } from "./installation.ts";
import { keyed } from "./key.ts";
import { parseInput, withoutNulls } from "./parseInput.ts";
import { withField } from "./withField.ts";

/** Throws InvalidInputError for a key that is none, ConflictError for one that is taken. */
export async function registerTask({ store }: Installation, input: unknown): Promise<Task> {
  const task = parseInput(keyed, withoutNulls(input), "input");
  return withField({ key: "input.key" }, () => store.tasks.create(task));
}
