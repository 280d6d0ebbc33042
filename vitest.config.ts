import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** These files share nothing but the program, which need not be loaded for each of them. */
const together =
  "test/{cli,client,data,engine,graphql,jobs,loaders,metrics,observe,schema,server,services,serving,store,training}/**/*.test.ts";

export default defineConfig({
  resolve: {
    alias: {
      "#plugin": fileURLToPath(new URL("src/plugin/index.ts", import.meta.url)),
      // The file that Node takes, so that tests and packages have one and the same GraphQL.
      graphql: fileURLToPath(new URL("node_modules/graphql/index.js", import.meta.url)),
    },
  },
  test: {
    setupFiles: ["test/priority.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Each file trains, serves or writes a database of its own; two at a time is what a small machine can bear.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: "together", include: [together], isolate: false } },
      {
        extends: true,
        test: { name: "apart", include: ["test/**/*.test.ts", "plugins/**/*.test.ts"], exclude: [together] },
      },
    ],
  },
});
