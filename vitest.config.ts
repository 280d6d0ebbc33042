import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: {
    alias: { "#plugin": fileURLToPath(new URL("src/plugin/index.ts", import.meta.url)) },
  },
  test: {
    include: ["test/**/*.test.ts", "plugins/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Each file trains, serves or writes a database of its own; two at a time is what a small machine can bear.
    maxWorkers: 2,
  },
});
