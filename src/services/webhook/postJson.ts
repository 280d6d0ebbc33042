/** One POST to an address that somebody else has chosen: no redirects, no private addresses, no more time than it gets. */
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import { isPublicAddress, lookupPublic, notPublic } from "./publicAddress.ts";

export interface PostOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly allowPrivate: boolean;
  /** For all of it, the connection included. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The status of the answer, whose body is not read. Throws where there is no answer. */
export async function postJson(options: PostOptions): Promise<number> {
  const { url: text, body, allowPrivate, timeoutMs } = options;
  const url = new URL(text);
  const host = hostOf(url);
  // A literal address is not looked up.
  if (!allowPrivate && isIP(host) && !isPublicAddress(host)) throw new Error(notPublic(host, host));
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sending = request(
      url,
      {
        method: "POST",
        headers: {
          "content-type": "application/json; charset=utf-8",
          "content-length": Buffer.byteLength(body),
          "user-agent": "autoifs-webhooks",
          ...options.headers,
        },
        // A connection of its own, so that none is left open to a receiver that is rarely told anything.
        agent: false,
        signal: options.signal,
        ...(allowPrivate ? {} : { lookup: lookupPublic }),
      },
      (response) => {
        resolve(response.statusCode!);
        response.destroy();
      },
    );
    const late = () => sending.destroy(new Error(`no answer within ${timeoutMs / 1000} seconds`));
    const timeout = setTimeout(late, timeoutMs);
    sending.on("close", () => clearTimeout(timeout));
    sending.on("error", reject);
    sending.end(body);
  });
}

/** Without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}
