/** Configuration of the `prisma` command, which here only generates the client. */
import { defineConfig } from "prisma/config";

// Without it the command downloads a native engine that generating does not need; any program that exists will do.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;

export default defineConfig({ schema: "prisma/schema.prisma" });
