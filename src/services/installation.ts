/** What every service works with: the parts of one running installation. Made once, in src/app.ts. */
import type { BackbonePlugin } from "../plugin/contract.ts";
import type { Store } from "../store/store.ts";
import type { Predictors } from "./prediction/predictors.ts";
import type { Dispatcher } from "./webhook/dispatcher.ts";

export interface Installation {
  readonly store: Store;
  /** By name. */
  readonly plugins: ReadonlyMap<string, BackbonePlugin>;
  /** Where `plugins` were loaded from; the training thread loads them again. */
  readonly pluginsFolder: string;
  /** The data folder. */
  readonly filesFolder: string;
  /** For what is thrown away after the work. */
  readonly scratchFolder: string;
  readonly predictors: Predictors;
  readonly webhooks: Pick<Dispatcher, "wake" | "allowPrivate">;
}
