/** Relations that the database guarantees. */

/** The row; where there is none the database is broken, which is a fault of ours. */
export async function required<Row>(row: Promise<Row | null>): Promise<Row> {
  const found = await row;
  if (found === null) throw new Error("a row that another row refers to is missing from the database");
  return found;
}
