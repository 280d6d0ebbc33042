/** Ids such as `run_06571a3…`: a prefix that names the table, then 32 hexadecimal digits that sort by time of creation. */
import { randomBytes } from "node:crypto";

export type IdPrefix =
  | "scn"
  | "tsk"
  | "ds"
  | "run"
  | "exp"
  | "trl"
  | "job"
  | "tok"
  | "mdl"
  | "mdv"
  | "prl"
  | "whk"
  | "dlv"
  | "xpt"
  | "bat"
  | "mxp";

/** A source of ids. Ids of one source always ascend; ids of several sources ascend to the millisecond. */
export function createIdSource(): (prefix: IdPrefix) => string {
  let last = 0;
  return (prefix) => {
    // 1/1024 ms since 1970, at least one more than the id before: below 2^53 until the year 2248.
    last = Math.max(Date.now() * 1024, last + 1);
    return `${prefix}_${last.toString(16).padStart(14, "0")}${randomBytes(9).toString("hex")}`;
  };
}
