/** What every service works with: the parts of one running installation. Made once, in src/app.ts. */
import type { BackbonePlugin } from "../plugin/contract.ts";
import type { PluginFailure, PluginSource } from "../plugin/registry.ts";
import type { Store } from "../store/store.ts";
import type { ModelResolver } from "./model/resolveModel.ts";
import type { TrafficDifferences } from "./model/trafficDifferences.ts";
import type { ModelPool } from "./prediction/modelPool.ts";
import type { RunReader } from "./prediction/runReader.ts";
import type { ServedObserver } from "./prediction/servedObserver.ts";
import type { Dispatcher } from "./webhook/dispatcher.ts";

export interface Installation {
  readonly store: Store;
  /** By name. */
  readonly plugins: ReadonlyMap<string, BackbonePlugin>;
  /** Where `plugins` were imported from; threads and processes that use one import it again. */
  readonly pluginSources: ReadonlyMap<string, PluginSource>;
  /** Those that are not among them, and why. */
  readonly pluginFailures: readonly PluginFailure[];
  /** What code of a plugin may take in a thread before it is given up. */
  readonly pluginSeconds: number;
  /** The data folder. */
  readonly filesFolder: string;
  /** For what is thrown away after the work. */
  readonly scratchFolder: string;
  /** Models in threads, for the rows of requests. */
  readonly pool: ModelPool;
  readonly runReader: RunReader;
  /** What the names of models stand for. */
  readonly modelResolver: ModelResolver;
  readonly trafficDifferences: TrafficDifferences;
  /** They hear of all rows that versions of models have answered. */
  readonly observers: readonly ServedObserver[];
  readonly webhooks: Pick<Dispatcher, "wake" | "allowPrivate">;
  readonly log: {
    readonly [Level in "warn" | "error"]: (message: string, fields: { readonly error: unknown }) => void;
  };
}
