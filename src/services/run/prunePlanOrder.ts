/** What a plan of a prune is made from, and what the thread that makes it says. Plain data: it crosses a thread boundary. */
import type { PrunePlan } from "../../training/prunePlan.ts";
import type { PruneRule } from "../../training/pruneRule.ts";
import type { PluginSource } from "../../plugin/registry.ts";
import type { SharedWatch } from "../plugins/pluginWatch.ts";
import type { SentError } from "../prediction/poolMessages.ts";
import type { StoredFile } from "../storedFile.ts";

export interface PrunePlanOrder {
  /** Of the search. */
  readonly checkpoint: StoredFile;
  /** The dataset's validation.arrow. */
  readonly validation: StoredFile;
  /** The backbone. */
  readonly plugin: PluginSource;
  /** By which the thread tells that the plugin is at work. */
  readonly pluginWatch: SharedWatch;
  readonly rule: PruneRule;
}

export type PlannedCells = PrunePlan["cells"];

export type PrunePlanAnswer =
  { readonly kind: "PLANNED"; readonly cells: PlannedCells } | { readonly kind: "FAILED"; readonly error: SentError };
