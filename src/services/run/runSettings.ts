/** Settings that trainings of every kind share: the seed, the engine and the budget. */
import { z } from "zod";
import { listEngines } from "../../engine/engines.ts";
import type { EngineName } from "../../engine/engines.ts";
import { UnavailableError } from "../../errors.ts";

/** Integers are what GraphQL and the store hold: signed, 32 bits. */
const most = 2 ** 31 - 1;

export const seed = z.int().min(0).max(most);

/** What a run may use before it ends with the best checkpoint so far. */
export const budget = z.strictObject({
  epochs: z.int().min(1).max(most).exactOptional(),
  seconds: z.int().min(1).max(most).exactOptional(),
});

/** Throws UnavailableError with the reason where the engine is not installed. */
export function usableEngine(name: EngineName, field: string): EngineName {
  const engines = listEngines();
  const engine = engines.find((candidate) => candidate.name === name);
  if (engine?.available) return name;
  const usable = engines.filter(({ available }) => available);
  throw new UnavailableError(`${field}: engine ${name} cannot be used here: ${engine?.reason}`, {
    field,
    expected: `one of ${usable.map((candidate) => candidate.name).join(", ")}`,
    received: name,
  });
}
