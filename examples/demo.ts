/**
 * The main job on real data: import, search, prune, retrain, compare, predict. It starts a server over ./data/demo and
 * then is an ordinary client of it: everything goes through GraphQL over HTTP. `--exit` ends the server at the end.
 */
import { loadConfig } from "../src/config.ts";
import { startServer } from "../src/server/startServer.ts";
import { graphqlClient } from "./demo/client.ts";
import { importDataset, registerScenariosAndTasks } from "./demo/dataset.ts";
import { comparisonTable, countsTable, flowsTable, predictionTable } from "./demo/report.ts";
import { prune, train } from "./demo/runs.ts";
import { autoIfs, mmoe, ple } from "./kuairand.ts";

const begun = Date.now();
const server = await startOn(4000).catch((error: NodeJS.ErrnoException) => {
  if (error.code !== "EADDRINUSE") throw error;
  return startOn(0);
});
process.once("SIGINT", () => void server.close());
process.once("SIGTERM", () => void server.close());
console.log(`AutoIFS on real traffic: KuaiRand-Pure, 3 scenarios × 2 tasks. The server is at ${server.url}/graphql\n`);

try {
  await runDemo(server.url);
} catch (error) {
  console.error(`\n${(error as Error).message}`);
  process.exitCode = 1;
  await server.close();
}

async function runDemo(url: string): Promise<void> {
  const query = graphqlClient(url);
  await registerScenariosAndTasks(query);
  const dataset = await importDataset(url, query);
  console.log(countsTable(dataset));

  const common = { dataset: dataset.id, seed: 1 };
  const search = await train(query, "AutoIFS: search", { ...common, ...autoIfs });
  const pruned = await prune(query, "AutoIFS: prune and retrain", { run: search.id });
  const withMmoe = await train(query, "MMoE with towers", { ...common, ...mmoe });
  const withPle = await train(query, "PLE with towers", { ...common, ...ple });

  console.log(
    comparisonTable([
      ["AutoIFS", pruned],
      ["MMoE", withMmoe],
      ["PLE", withPle],
    ]),
  );
  console.log(flowsTable(pruned));
  console.log(await predictionTable(query, pruned));
  console.log(`Done in ${Math.round((Date.now() - begun) / 1000)} s.`);

  if (process.argv.includes("--exit")) return server.close();
  console.log(`
The server goes on at ${url}/graphql (open it in a browser; Ctrl-C ends it). From a terminal:

  curl ${url}/graphql -H 'content-type: application/json' \\
    -d '{"query":"{ runs(first: 4) { nodes { kind state backbone { name } matrix { meanAuc } } } }"}'
`);
}

function startOn(port: number): ReturnType<typeof startServer> {
  return startServer(
    loadConfig({ AUTOIFS_LOG_LEVEL: "warn", ...process.env, AUTOIFS_DATA: "data/demo", AUTOIFS_PORT: String(port) }),
  );
}
