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
  const at = pathText(field, path);
  const expected = surplus.length > 0 ? "no such member" : expectation(issue);
  const received = shown(valueAt(value, path));
  throw new InvalidInputError(`${at}: expected ${expected}, got ${received}`, { field: at, expected, received });
}

/** What would have been right, in words. */
function expectation(issue: Issue): string {
  switch (issue.code) {
    case "too_small":
      return `${countable(issue.origin)}${issue.inclusive ? "at least" : "above"} ${issue.minimum}`;
    case "too_big":
      return `${countable(issue.origin)}${issue.inclusive ? "at most" : "below"} ${issue.maximum}`;
    case "not_multiple_of":
      return `a multiple of ${issue.divisor}`;
    case "invalid_type":
      return `a value of type ${issue.expected}`;
    case "invalid_value":
      return `one of ${issue.values.map(String).join(", ")}`;
    default:
      return issue.message;
  }
}

function countable(origin: string): string {
  if (origin === "array") return "a number of items ";
  return origin === "string" ? "a number of characters " : "";
}

function pathText(field: string, path: Path): string {
  return path.reduce<string>((text, key) => (typeof key === "number" ? `${text}[${key}]` : `${text}.${String(key)}`), field);
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | null | undefined)?.[key], value);
}

/** A value as it would be written in a request, cut to a readable length. */
function shown(value: unknown): string {
  const text = value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value));
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
