/** What makes trainings repetitions of each other: everything that was chosen, except the dataset and the seed. */
import { createHash } from "node:crypto";
import { canonicalJson } from "../../data/canonicalJson.ts";
import type { NewRun } from "../../store/queueRun.ts";
import type { Run } from "../../store/rows.ts";
import type { HyperParameters } from "../../training/hyperParameters.ts";
import { equalLosses } from "../../training/lossBalancing/lossBalancing.ts";

/**
 * Sha256, in hexadecimal. On the same dataset, runs that share it differ by chance alone (and by the engine, which is
 * none of the choices). `parent` is the search of a PRUNE, or what an EXTEND extends.
 */
export function configurationHash(run: Omit<NewRun, "configurationHash">, parent?: Run): string {
  const { kind, backboneName, backboneConfig, head, pruneThreshold, pruneRule, cell } = run;
  const { search, lossBalancing = equalLosses, ...others } = run.hyperParameters as Partial<HyperParameters>;
  // Left out, as it is in runs from before there was a choice.
  const numbers = lossBalancing.kind === "EQUAL" ? others : { ...others, lossBalancing };
  const chosen = {
    kind,
    backboneName,
    backboneConfig,
    head,
    // Towers have no search, whatever the preset says of one.
    hyperParameters: kind === "TRAIN" ? numbers : { ...numbers, search },
    pruneThreshold,
    // What a cell may lose is part of it: of runs with a bound only those are left that kept to it.
    pruneRule,
    cell,
    budget: run.budget,
    // Of a search from before there were hashes nothing is known to be like it.
    search: parent && run.kind !== "EXTEND" ? parent.configurationHash || parent.id : undefined,
    // Its weights are part of what comes out, so only extensions of one and the same model are alike.
    extended: run.kind === "EXTEND" ? parent?.id : undefined,
  };
  return createHash("sha256").update(canonicalJson(chosen)).digest("hex");
}
