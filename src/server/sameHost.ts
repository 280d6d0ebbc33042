/** Which pages in a browser may open a lasting connection: those this server, or what stands before it, has served. */
import type { IncomingMessage } from "node:http";

/** False for a request of a page from another host that is not in `origins`. Programs that are no browser send no `Origin`, and may. */
export function isFromSameHost({ headers: { origin, host } }: IncomingMessage, origins: readonly string[]): boolean {
  if (origin === undefined || origins.includes(origin)) return true;
  return host !== undefined && hostOf(origin) === host.toLowerCase();
}

/** Empty for `null`, which is the origin of pages that hide theirs. */
function hostOf(origin: string): string {
  try {
    return new URL(origin).host;
  } catch {
    return "";
  }
}
