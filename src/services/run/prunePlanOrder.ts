/** What a plan of a prune is made from, and what the thread that makes it says. Plain data: it crosses a thread boundary. */
import type { PrunePlan } from "../../training/prunePlan.ts";
import type { PruneRule } from "../../training/pruneRule.ts";
import type { StoredFile } from "../storedFile.ts";

export interface PrunePlanOrder {
  /** Of the search. */
  readonly checkpoint: StoredFile;
  /** The dataset's validation.arrow. */
  readonly validation: StoredFile;
  readonly pluginsFolder: string;
  readonly backbone: string;
  readonly rule: PruneRule;
}

export type PlannedCells = PrunePlan["cells"];

export type PrunePlanAnswer =
  | { readonly kind: "PLANNED"; readonly cells: PlannedCells }
  | { readonly kind: "FAILED"; readonly message: string; readonly stack: string };
