/** Files of callers: only what lies below the data folder, whatever the path says and whatever links are on the way. */
import { realpath } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { refusal, shown } from "../parseInput.ts";

/**
 * The real path of a file given relative to the data folder. Throws InvalidInputError about `field` where there is no
 * such file, or it is not below the folder once every symbolic link is followed.
 */
export async function dataFile(folder: string, path: string, field: string): Promise<string> {
  const refuse = (expected: string) => refusal(field, expected, shown(path));
  const below = (base: string, target: string): boolean => {
    const way = relative(base, target);
    return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  };
  const outside = "a path relative to the data folder that stays below it";
  if (path.includes("\0") || isAbsolute(path) || !below(folder, resolve(folder, path))) throw refuse(outside);
  const found = await realpath(resolve(folder, path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    if (error.code === "ELOOP" || error.code === "ENAMETOOLONG") return undefined;
    throw error;
  });
  if (found === undefined) throw refuse("a file below the data folder");
  if (!below(await realpath(folder), found)) throw refuse(outside);
  return found;
}
