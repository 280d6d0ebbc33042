/** Registers a scenario under a new key. */
import type { Scenario } from "../store/rows.ts";
import type { Installation } from "./installation.ts";
import { keyed } from "./key.ts";
import { parseInput, withoutNulls } from "./parseInput.ts";
import { withField } from "./withField.ts";

/** Throws InvalidInputError for a key that is none, ConflictError for one that is taken. */
export async function registerScenario({ store }: Installation, input: unknown): Promise<Scenario> {
  const scenario = parseInput(keyed, withoutNulls(input), "input");
  return withField({ key: "input.key" }, () => store.scenarios.create(scenario));
}
