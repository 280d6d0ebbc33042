/** Registers a scenario under a new key. */
import type { Scenario } from "../store/rows.ts";
import type { Installation } from "./installation.ts";
import { keyed } from "./key.ts";
import type { KeyedInput } from "./key.ts";
import { parseInput } from "./parseInput.ts";
import { underInput } from "./underInput.ts";

/** Throws InvalidInputError for a key that is none, ConflictError for one that is taken. */
export async function registerScenario({ store }: Installation, input: KeyedInput): Promise<Scenario> {
  const scenario = parseInput(keyed, input, "input");
  return underInput(() => store.scenarios.create(scenario));
}
