/**
 * Conditions on the rows of a list, as they come in: members that must all hold, put together by `and`, `or` and `not`.
 * Out of them comes what Prisma asks the database. In a filter null is as good as nothing.
 */
import { InvalidInputError } from "../errors.ts";

export type DeletedFilter = "EXCLUDED" | "INCLUDED" | "ONLY";

/** What every filter has. */
export interface Combined<Filter> {
  readonly and?: readonly Filter[] | null | undefined;
  readonly or?: readonly Filter[] | null | undefined;
  readonly not?: Filter | null | undefined;
  /** Of the whole list; default EXCLUDED. */
  readonly deleted?: DeletedFilter | null | undefined;
}

/** For each member that only this filter has: what must hold for its value. `field` is where it stands in the request. */
export type Conditions<Filter, Where> = {
  readonly [Member in Exclude<keyof Filter, keyof Combined<Filter>>]-?: (
    value: NonNullable<Filter[Member]>,
    field: string,
  ) => Where;
};

const deepest = 5;
const mostConditions = 100;
const longestText = 200;

/**
 * Throws InvalidInputError where it is nested too deep, has too many conditions (`and`, `or`, `not` and an empty filter in them
 * are one each), or one that cannot be.
 */
export function whereOf<Filter extends Combined<Filter>, Where>(
  filter: Filter,
  conditions: Conditions<Filter, Where>,
  field = "filter",
): Where {
  const { deleted, ...rest } = filter;
  let count = 0;
  const counted = (conditions: number): void => {
    count += conditions;
    if (count > mostConditions) throw invalid(field, `at most ${mostConditions} conditions`, "more");
  };
  const whereAt = (at: Combined<Filter>, path: string, depth: number): Where => {
    if (depth > deepest) throw invalid(path, `filters at most ${deepest} deep`, "one below that");
    const all = Object.entries(at).flatMap(([name, value]: [string, unknown]): unknown[] => {
      const here = `${path}.${name}`;
      if (value === null || value === undefined) return [];
      const several = () => (value as readonly Filter[]).map((one, i) => whereAt(one, `${here}[${i}]`, depth + 1));
      if (isGroup(name)) counted(1);
      switch (name) {
        case "and":
          return several();
        case "or":
          // Prisma takes an empty OR for no condition at all.
          return [(value as readonly unknown[]).length === 0 ? { id: { in: [] } } : { OR: several() }];
        case "not":
          return [{ NOT: whereAt(value as Filter, here, depth + 1) }];
        case "deleted":
          throw invalid(here, "it at the top of the filter, for it is about the whole list", JSON.stringify(value));
        default:
          counted(conditionsIn(value));
          return [(conditions as Record<string, (value: unknown, field: string) => Where>)[name]!(value, here)];
      }
    });
    // What says nothing is work for the database all the same.
    if (all.length === 0 && depth > 0) counted(1);
    return { AND: all } as Where;
  };
  return { AND: [...whereDeleted(deleted ?? "EXCLUDED"), whereAt(rest as Combined<Filter>, field, 0)] } as Where;
}

/** `contains` of Prisma, for a text that is not too long for the database. */
export function containing(text: string, field: string): { readonly contains: string } {
  if (text.length >= 1 && text.length <= longestText) return { contains: text };
  throw invalid(field, `1 to ${longestText} characters`, String(text.length));
}

/** For a column that may be null: without the second half its `not` would hold in no row where it is. */
export function notNull<Condition>(column: string, condition: Condition) {
  return { AND: [{ [column]: condition }, { [column]: { not: null } }] };
}

export function invalid(field: string, expected: string, received: string): InvalidInputError {
  return new InvalidInputError(`${field}: expected ${expected}, got ${received}`, { field, expected, received });
}

function whereDeleted(deleted: DeletedFilter): object[] {
  switch (deleted) {
    case "EXCLUDED":
      return [{ deletedAt: null }];
    case "ONLY":
      return [{ deletedAt: { not: null } }];
    case "INCLUDED":
      return [];
    default:
      return deleted satisfies never;
  }
}

const isGroup = (member: string): boolean => member === "and" || member === "or" || member === "not";

/** Each item of a list is one: of a member itself, or of a member of it. */
function conditionsIn(value: unknown): number {
  if (Array.isArray(value)) return Math.max(1, value.length);
  if (value === null || typeof value !== "object") return 1;
  return Math.max(1, ...Object.values(value).map((member) => (Array.isArray(member) ? member.length : 1)));
}
