/** Checks a value of unknown shape against a zod schema; the first thing that is wrong becomes an InvalidInputError. */
import type { z } from "zod";
import { InvalidInputError } from "../errors.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** The parsed value, defaults filled in. `field` is where the value stands in the request, e.g. `input.backbone.config`. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, value: unknown, field: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const surplus = issue.code === "unrecognized_keys" ? [issue.keys[0]!] : [];
  const path = [...issue.path, ...surplus];
  throw refusal(pathText(field, path), expectation(issue), shown(valueAt(value, path)));
}

/** An InvalidInputError whose message and detail say the same. */
export function refusal(field: string, expected: string, received: string, hint?: string): InvalidInputError {
  const detail = { field, expected, received, ...(hint === undefined ? {} : { hint }) };
  return new InvalidInputError(`${field}: expected ${expected}, got ${received}`, detail);
}

/** The same value without members that are null: in GraphQL null and absent are one. Not for JSON of the caller's. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== "object" || value instanceof Date) return value;
  const kept = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutNulls(member)]));
}

/** What would have been right, in words. */
function expectation(issue: Issue): string {
  switch (issue.code) {
    case "too_small":
      return `${counted(issue.origin)}${issue.inclusive ? "at least" : "above"} ${issue.minimum}`;
    case "too_big":
      return `${counted(issue.origin)}${issue.inclusive ? "at most" : "below"} ${issue.maximum}`;
    case "not_multiple_of":
      return `a multiple of ${issue.divisor}`;
    case "invalid_type":
      return `a value of type ${issue.expected}`;
    case "invalid_value":
      return `one of ${issue.values.map(String).join(", ")}`;
    case "unrecognized_keys":
      return "no member of this name here";
    default:
      return issue.message;
  }
}

function counted(origin: string): string {
  if (origin === "array") return "a number of items ";
  return origin === "string" ? "a number of characters " : "";
}

function pathText(field: string, path: Path): string {
  const step = (key: PropertyKey): string => (typeof key === "number" ? `[${key}]` : `.${String(key)}`);
  return field + path.map(step).join("");
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | null | undefined)?.[key], value);
}

/** A value as it would be written in a request, cut to a readable length. */
export function shown(value: unknown): string {
  const text = value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value));
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
