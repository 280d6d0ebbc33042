/** What this installation has: plugins and engines. */
import type { Resolvers } from "./generated.ts";

export const Query: Resolvers["Query"] = {
  plugins: (_, _args, { services }) => services.listPlugins(),
  pluginFailures: (_, _args, { services }) => services.pluginFailures(),
  engines: (_, _args, { services }) => [...services.listEngines()],
};

export const Plugin: Resolvers["Plugin"] = {
  configSchema: (plugin, _, { services }) => services.configSchema(plugin),
  defaults: (plugin, _, { services }) => services.defaultConfig(plugin),
};
