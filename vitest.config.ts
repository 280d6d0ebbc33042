import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: "#plugin/testing", replacement: here("src/conformance/index.ts") },
      { find: "#plugin", replacement: here("src/plugin/index.ts") },
      // The file that Node takes, so that tests and packages have one and the same GraphQL.
      { find: "graphql", replacement: here("node_modules/graphql/index.js") },
      // Processes and threads begin from the build that test/build.ts makes.
      { find: /^(\.{1,2}\/)+programFile\.ts$/, replacement: here("test/builtProgram.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts", "plugins/**/*.test.ts", "examples/**/*.test.ts"],
    // The files share nothing but the program, which need not be loaded for each of them.
    isolate: false,
    globalSetup: ["test/build.ts"],
    setupFiles: ["test/priority.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Made by tests outside of the project: imported as Node does it.
    server: { deps: { external: [/\/autoifs-plugins-/] } },
    // Each file trains, serves or writes a database of its own; two at a time is what a small machine can bear.
    maxWorkers: 2,
  },
});
