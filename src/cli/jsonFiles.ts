/** JSON that a person has written into a file. */
import { readFile } from "node:fs/promises";
import { InvalidInputError } from "../errors.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Throws InvalidInputError where it cannot be read, or holds something else. */
export async function readJsonObject(path: string): Promise<JsonObject> {
  return parsedObject(await readText(path), path);
}

/** One object per line; empty lines are passed over. Throws InvalidInputError with the line. */
export async function readJsonLines(path: string): Promise<JsonObject[]> {
  const lines = (await readText(path)).split(/\r?\n/);
  return lines.flatMap((line, i) => (line.trim() === "" ? [] : [parsedObject(line, `${path}, line ${i + 1}`)]));
}

export function parsedObject(text: string, where: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InvalidInputError(`${where}: expected JSON: ${(cause as Error).message}`, {}, cause);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new InvalidInputError(`${where}: expected an object, got ${text.slice(0, 50)}`);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new InvalidInputError(`${path}: expected a file that can be read: ${(cause as Error).message}`, {}, cause);
  }
}
