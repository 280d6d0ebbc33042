/** Settings that trainings of every kind share: the seed and the engine. */
import { z } from "zod";
import { listEngines } from "../engine/engines.ts";
import type { EngineName } from "../engine/engines.ts";
import { UnavailableError } from "../errors.ts";

/** A signed 32-bit integer that is not negative, as GraphQL and the store hold it. */
export const seed = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);

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
