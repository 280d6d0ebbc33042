/** The page at GET /graphql for browsers: GraphiQL, served whole from this machine, and held to talk to this server alone. */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { renderGraphiQL } from "@graphql-yoga/render-graphiql";
import { examples } from "./graphiqlExamples.ts";

/** Its types do not tell of the endpoint, but the page takes it. */
type GraphiqlOptions = Parameters<typeof renderGraphiQL>[0] & { readonly subscriptionsEndpoint: string };

export interface GraphiqlPage {
  /** Compressed. */
  readonly plain: string;
  readonly gzipped: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** Builds the page when it is first asked for: it is 9 MB before compression. */
export function graphiqlPage(): () => Promise<GraphiqlPage> {
  let page: Promise<GraphiqlPage> | undefined;
  return () => (page ??= render());
}

async function render(): Promise<GraphiqlPage> {
  const graphiql = await import("@graphql-yoga/render-graphiql");
  const options: GraphiqlOptions = {
    title: "AutoIFS",
    defaultTabs: examples.map(({ query, variables }) => ({
      query,
      variables: variables ? JSON.stringify(variables, null, 2) : null,
    })),
    // A token in the header editor is gone with the page.
    shouldPersistHeaders: false,
    // Unlike WebSocket, it sends the headers of the header editor.
    subscriptionsProtocol: "GRAPHQL_SSE",
    subscriptionsEndpoint: "/graphql/stream",
  };
  const html = graphiql.renderGraphiQL(options);
  return {
    plain: html,
    gzipped: await promisify(gzip)(html),
    headers: {
      "content-type": "text/html; charset=utf-8",
      vary: "accept-encoding",
      "content-security-policy": policyFor(html),
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
  };
}

/** The page runs its own script and no other, and asks this server and no other. */
function policyFor(html: string): string {
  const script = html.slice(html.indexOf("<script>") + "<script>".length, html.lastIndexOf("</script>"));
  return [
    "default-src 'none'",
    `script-src 'sha256-${createHash("sha256").update(script).digest("base64")}'`,
    // The editor makes its workers and its styles itself.
    "worker-src blob:",
    "style-src 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
