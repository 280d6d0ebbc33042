/** Relay connections, the same for every list. A cursor is the id of its row, made opaque. */
import type { Page, PageRequest } from "../context.ts";
import { InvalidInputError } from "../errors.ts";

const mostItems = 100;
const prefix = "after:";

export interface PageArguments {
  readonly first: number;
  readonly after?: string | null | undefined;
}

export interface Connection<Row> {
  readonly edges: { cursor: string; node: Row }[];
  readonly nodes: Row[];
  readonly pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** Reads a page and makes a connection of it. Throws InvalidInputError for a page size or a cursor that is none. */
export async function connection<Row extends { readonly id: string }>(
  args: PageArguments,
  read: (page: PageRequest) => Promise<Page<Row>> | Page<Row>,
): Promise<Connection<Row>> {
  const { rows, hasNextPage } = await read(pageRequest(args));
  const edges = rows.map((node) => ({ cursor: cursorOf(node), node }));
  return { edges, nodes: [...rows], pageInfo: { hasNextPage, endCursor: edges.at(-1)?.cursor ?? null } };
}

/** A page out of rows that are all there, newest first. */
export function pageOfRows<Row extends { readonly id: string }>(
  rows: readonly Row[],
  { first, after }: PageRequest,
): Page<Row> {
  const rest = after === undefined ? rows : rows.filter(({ id }) => id < after);
  return { rows: rest.slice(0, first), hasNextPage: rest.length > first };
}

function pageRequest({ first, after }: PageArguments): PageRequest {
  if (first < 1 || first > mostItems) throw invalid("first", `1 to ${mostItems}`, String(first));
  if (after === null || after === undefined) return { first };
  const text = Buffer.from(after, "base64url").toString("utf8");
  if (!text.startsWith(prefix)) throw invalid("after", "a cursor of this list", `"${after}"`);
  return { first, after: text.slice(prefix.length) };
}

function cursorOf({ id }: { readonly id: string }): string {
  return Buffer.from(prefix + id).toString("base64url");
}

function invalid(field: string, expected: string, received: string): InvalidInputError {
  return new InvalidInputError(`${field}: expected ${expected}, got ${received}`, { field, expected, received });
}
