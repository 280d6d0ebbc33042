/** A prune as a run: what the search has fixed, and the numbers of the retrain. */
import type { z } from "zod";
import type { NewRun } from "../../store/queueRun.ts";
import type { Run } from "../../store/rows.ts";
import { hyperParameters, retrainDefaults } from "../../training/hyperParameters.ts";
import type { HyperParameters, Preset } from "../../training/hyperParameters.ts";
import type { Budget } from "../../training/pacer.ts";
import type { PruneRule } from "../../training/pruneRule.ts";
import { completeSelection, selectionInput } from "./completeHyperParameters.ts";
import { configurationHash } from "./configurationHash.ts";
import { gatesOf } from "../stored.ts";

/** All but what the search has fixed: the width of the embeddings and the search itself. */
export const retrainInput = hyperParameters
  .omit({ embeddingDim: true, search: true })
  .extend({ selection: selectionInput })
  .strict()
  .partial();

export interface PruneSettings {
  readonly rule: PruneRule;
  readonly hyperParameters: HyperParameters;
  readonly seed: number;
  readonly engine: string;
  /** Default: no limit. */
  readonly budget?: Budget;
  /** Default: none. */
  readonly trialId?: string;
}

/** The search's numbers with those of the retrain in their place. Throws InvalidInputError; `field` is where they stand. */
export function retrainNumbers(
  search: HyperParameters,
  preset: Preset,
  given: z.output<typeof retrainInput>,
  field: string,
): HyperParameters {
  const selection = completeSelection(search.selection, given.selection, `${field}.selection`);
  return { ...search, ...retrainDefaults(preset), ...given, selection };
}

/** A threshold for the search's own kind of gates, as there was before there were rules, is kept as that alone. */
export function plannedPrune(search: Run, { rule, ...settings }: PruneSettings): NewRun {
  const { threshold: pruneThreshold, granularity, target, allowedLoss } = rule;
  const isPlain = !target && !allowedLoss && granularity === gatesOf(search);
  const run = {
    kind: "PRUNE" as const,
    datasetId: search.datasetId,
    parentRunId: search.id,
    backboneName: search.backboneName,
    backboneConfig: search.backboneConfig,
    head: search.head,
    ...(search.preset === null ? {} : { preset: search.preset }),
    ...(pruneThreshold === undefined ? {} : { pruneThreshold }),
    ...(isPlain ? {} : { pruneRule: rule }),
    ...settings,
  };
  return { ...run, configurationHash: configurationHash(run, search) };
}
