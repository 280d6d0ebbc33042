/** The plugins of an installation: found, tried in a thread, and imported where nothing was wrong with them. */
import { findPlugins, importPlugins, type LoadedPlugins } from "../../plugin/registry.ts";
import { provenPlugins } from "./provenPlugins.ts";

export interface PluginPlaces {
  readonly pluginsFolder: string;
  /** Names of installed packages. */
  readonly pluginPackages: readonly string[];
  /** What the trial of one plugin may take; 0: they are imported without a trial. */
  readonly pluginTrialSeconds: number;
}

/** Throws InvalidInputError only where the folder cannot be read. */
export async function openPlugins(places: PluginPlaces): Promise<LoadedPlugins> {
  const { sources, failures } = await findPlugins(places.pluginsFolder, places.pluginPackages);
  if (places.pluginTrialSeconds === 0) return importPlugins(sources, failures);
  const tried = await provenPlugins(sources, places.pluginTrialSeconds);
  return importPlugins(tried.proven, [...failures, ...tried.failures]);
}
