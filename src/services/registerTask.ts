/** Registers a task under a new key. */
import type { Task } from "../store/rows.ts";
import type { Installation } from "./installation.ts";
import { keyed } from "./key.ts";
import type { KeyedInput } from "./key.ts";
import { parseInput } from "./parseInput.ts";
import { underInput } from "./underInput.ts";

/** Throws InvalidInputError for a key that is none, ConflictError for one that is taken. */
export async function registerTask({ store }: Installation, input: KeyedInput): Promise<Task> {
  const task = parseInput(keyed, input, "input");
  return underInput(() => store.tasks.create(task));
}
