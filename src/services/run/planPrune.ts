/** What a prune would remove, and what that does to every cell before anything is retrained. Writes nothing. */
import { z } from "zod";
import { pluginSource } from "../../plugin/registry.ts";
import { assertNotDeleted } from "../../store/notDeleted.ts";
import type { Run } from "../../store/rows.ts";
import { worstBreach } from "../../training/pruneRule.ts";
import type { Breach, PruneRule } from "../../training/pruneRule.ts";
import type { Installation } from "../installation.ts";
import { parseInput, withoutNulls } from "../parseInput.ts";
import { gatesOf, manifestOf } from "../stored.ts";
import type { PrunePlanner } from "./prunePlanner.ts";
import type { PlannedCells } from "./prunePlanOrder.ts";
import { prunableSearch } from "./pruneModel.ts";
import { completePruneRule, pruneRuleInput } from "./pruneRuleInput.ts";

export type { PlannedCell as PlannedCellRow } from "../../training/prunePlan.ts";
export type { Breach as PruneBreachRow, CellChange as CellChangeRow } from "../../training/pruneRule.ts";

const planInput = z.strictObject({ run: z.string(), ...pruneRuleInput });

export interface PlannedPrune {
  readonly run: Run;
  readonly rule: PruneRule;
  readonly cells: PlannedCells;
  /** Null where every cell keeps to what it may lose, or nothing was said of it. */
  readonly breaks: Breach | null;
}

/** Throws as `pruneModel` does, and UnavailableError where too many plans wait. */
export async function planPrune(
  { store, plugins, pluginSources }: Pick<Installation, "store" | "plugins" | "pluginSources">,
  planner: PrunePlanner,
  input: unknown,
): Promise<PlannedPrune> {
  const { run: id, ...given } = parseInput(planInput, withoutNulls(input), "input");
  const run = await prunableSearch({ store, plugins }, id);
  const rule = completePruneRule(given, gatesOf(run), "input");
  const dataset = await store.datasets.get(run.datasetId);
  assertNotDeleted(dataset, "dataset", "input.run");
  const file = (sha256: string) => ({ path: store.artifacts.path(sha256), sha256 });
  const cells = await planner.plan({
    checkpoint: file(run.checkpointHash!),
    validation: file(manifestOf(dataset)!.files["validation.arrow"].sha256),
    plugin: pluginSource(pluginSources, run.backboneName),
    rule,
  });
  return { run, rule, cells, breaks: rule.allowedLoss ? worstBreach(cells, rule.allowedLoss) : null };
}
