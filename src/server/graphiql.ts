/** The page at GET /graphql for browsers: GraphiQL, served whole from this machine. */
import { promisify } from "node:util";
import { gzip } from "node:zlib";

const exampleQuery = `# The newest runs with their test figures per scenario and task.
# Ctrl-Space completes; the book icon at the left shows the whole API.
query NewestRuns {
  runs(first: 5) {
    nodes {
      id
      kind
      state
      backbone { name }
      matrix {
        meanAuc
        cells { scenario { key } task { key } auc logloss rows positives }
      }
    }
  }
}
`;

/** Builds the page when it is first asked for: it is 9 MB before compression. */
export function graphiqlPage(): () => Promise<Buffer> {
  let page: Promise<Buffer> | undefined;
  const render = async (): Promise<Buffer> => {
    const { renderGraphiQL } = await import("@graphql-yoga/render-graphiql");
    return promisify(gzip)(
      renderGraphiQL({ title: "AutoIFS", defaultQuery: exampleQuery, subscriptionsProtocol: "WS" }),
    );
  };
  return () => (page ??= render());
}
