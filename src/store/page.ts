/** Keyset pages: rows after an id, in the order of ids. */

export interface PageRequest {
  /** Rows wanted, at least 1; the caller sets the limit. */
  readonly first: number;
  /** Id of the last row of the page before; default: from the start. */
  readonly after?: string;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly hasNextPage: boolean;
}

/** What a query needs to fetch a page: one row more than wanted tells whether there is a next page. */
export function pageQuery({ first, after }: PageRequest, order: "asc" | "desc") {
  const id = after === undefined ? undefined : order === "asc" ? { gt: after } : { lt: after };
  return { where: { id }, orderBy: { id: order }, take: first + 1 };
}

export function pageOf<Row>(rows: readonly Row[], { first }: PageRequest): Page<Row> {
  return { rows: rows.slice(0, first), hasNextPage: rows.length > first };
}
