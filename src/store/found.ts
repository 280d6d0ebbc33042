/** Turns "no such row" into the error it means. */
import { NotFoundError } from "../errors.ts";

export function orNotFound<Row>(row: Row | null, what: string, id: string): Row {
  if (row !== null) return row;
  const one = /^[aeiou]/.test(what) ? `an ${what}` : `a ${what}`;
  throw new NotFoundError(`${what} ${id}: expected the id of ${one}, but there is none with this id`, {
    field: "id",
    received: id,
  });
}
