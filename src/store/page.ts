/** Keyset pages: rows after a place in an order, so that what is added meanwhile moves nothing from page to page. */
import { InvalidInputError } from "../errors.ts";

export interface PageRequest {
  /** Rows wanted, at least 1; the caller sets the limit. */
  readonly first: number;
  /** Id of the last row of the page before; default: from the start. */
  readonly after?: string | undefined;
  /** What that row is ordered by; nothing where the order is that of the ids. */
  readonly value?: OrderValue | undefined;
}

/** Times are text, in ISO 8601. */
export type OrderValue = string | number;

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly hasNextPage: boolean;
  /** What each row is ordered by; nothing where the order is that of the ids. */
  readonly values?: readonly OrderValue[];
}

/** A list that can be read page by page. */
export interface List<Row> {
  /** Which list in which order: a place in one means nothing in another. */
  readonly order: string;
  readonly read: (page: PageRequest) => Promise<Page<Row>>;
  /** All rows on all pages. */
  readonly count: () => Promise<number>;
}

export type OrderDirection = "ASC" | "DESC";

/** A column that is null in no row of the list. */
export interface OrderColumn {
  readonly column: string;
  readonly type: "text" | "number" | "time";
}

/** Ids sort by time of creation. */
export const byId = null;

/** What a query needs to fetch a page: one row more than wanted tells whether there is a next page. */
export function pageQuery({ first, after }: PageRequest, order: "asc" | "desc") {
  const id = after === undefined ? undefined : order === "asc" ? { gt: after } : { lt: after };
  return { where: { id }, orderBy: { id: order }, take: first + 1 };
}

/**
 * The same for an order by a column, and by id where that is the same. `Where` is Prisma's. Throws InvalidInputError where
 * `value` is none of the column.
 */
export function orderedQuery<Where>(
  { first, after, value }: PageRequest,
  order: OrderColumn | typeof byId,
  direction: OrderDirection,
  idColumn = "id",
) {
  const sort = direction === "ASC" ? ("asc" as const) : ("desc" as const);
  const beyond = direction === "ASC" ? "gt" : "lt";
  const orderBy = [...(order ? [{ [order.column]: sort }] : []), { [idColumn]: sort }];
  const afterId = { [idColumn]: { [beyond]: after } };
  if (after === undefined) return { where: {} as Where, orderBy, take: first + 1 };
  if (order === byId) return { where: afterId as Where, orderBy, take: first + 1 };
  const place = columnValue(order, value);
  // The first member alone says where in the index to begin.
  const where = {
    [order.column]: { [`${beyond}e`]: place },
    OR: [{ [order.column]: { [beyond]: place } }, afterId],
  };
  return { where: where as Where, orderBy, take: first + 1 };
}

export function pageOf<Row>(rows: readonly Row[], { first }: Pick<PageRequest, "first">): Page<Row> {
  return { rows: rows.slice(0, first), hasNextPage: rows.length > first };
}

/** A page with what its rows are ordered by. */
export function orderedPage<Row, Out>(
  rows: readonly Row[],
  { first }: PageRequest,
  order: OrderColumn | typeof byId,
  read: (row: Row) => Out,
): Page<Out> {
  const page = pageOf(rows, { first });
  const out = { rows: page.rows.map(read), hasNextPage: page.hasNextPage };
  if (order === byId) return out;
  return { ...out, values: page.rows.map((row) => orderValue((row as Record<string, unknown>)[order.column])) };
}

function orderValue(value: unknown): OrderValue {
  return value instanceof Date ? value.toISOString() : (value as OrderValue);
}

function columnValue({ type }: OrderColumn, value: OrderValue | undefined): OrderValue | Date {
  if (type === "text" && typeof value === "string") return value;
  if (type === "number" && typeof value === "number") return value;
  const time = type === "time" && typeof value === "string" ? new Date(value) : undefined;
  if (time && !Number.isNaN(time.getTime())) return time;
  const received = value === undefined ? "nothing" : JSON.stringify(value);
  throw new InvalidInputError(`after: expected a place in this list, got ${received}`, {
    field: "after",
    expected: "a place in this list",
    received,
  });
}
