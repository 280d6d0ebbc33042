/** The finished models behind two versions, and what was measured of them: read when a rule asks for it, once for all rules. */
import { ConflictError } from "../../errors.ts";
import type { Dataset, MetricPoint, Run } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import { compareCells } from "../comparison/compareCells.ts";
import type { ComparedCellRow } from "../comparison/compareCells.ts";
import type { Comparer } from "../comparison/comparer.ts";
import { protocolOf } from "../comparison/protocolOf.ts";
import { cellOf, inSpecOrder } from "../stored.ts";

export interface VersionPair {
  readonly candidate: Run;
  /** Null where there is nothing to be held against. */
  readonly baseline: Run | null;
  readonly candidateDataset: Dataset;
  readonly baselineDataset: Dataset | null;
  /** Of the candidate on the test split, all metrics. */
  figures(): Promise<readonly MetricPoint[]>;
  /**
   * Row by row over what both said of the test split. Throws ConflictError where they were not tested on the same rows, or what
   * one of them said is not kept.
   */
  comparison(): Promise<readonly ComparedCellRow[]>;
}

/** Both runs have SUCCEEDED. */
export async function versionPair(
  store: Store,
  comparer: Comparer,
  { candidate, baseline }: Pick<VersionPair, "candidate" | "baseline">,
): Promise<VersionPair> {
  const candidateDataset = await store.datasets.get(candidate.datasetId);
  const baselineDataset = baseline && (await store.datasets.get(baseline.datasetId));
  return {
    candidate,
    baseline,
    candidateDataset,
    baselineDataset,
    figures: once(() => store.metrics.finalByRunIds([candidate.id], { split: "test" })),
    comparison: once(async () => {
      if (!baseline || !baselineDataset) return [];
      assertSameRows([candidate, candidateDataset], [baseline, baselineDataset]);
      const only = cellOf(candidate);
      const counts = inSpecOrder(await store.datasets.countsByIds([candidateDataset.id]), candidateDataset);
      const cells = counts.filter(
        (count) =>
          count.split === "test" && (!only || (count.scenarioKey === only.scenario && count.taskKey === only.task)),
      );
      const { compared } = await compareCells(store, comparer, {
        cells: cells.map((cell) => ({ ...cell, baseline: [baseline], candidate: [candidate] })),
        datasets: new Map([candidateDataset, baselineDataset].map((dataset) => [dataset.id, dataset])),
        split: "test",
      });
      return compared;
    }),
  };
}

/** The definitions of the metrics do not matter: both are measured anew. */
function assertSameRows(candidate: readonly [Run, Dataset], baseline: readonly [Run, Dataset]): void {
  const [own, other] = [protocolOf(...candidate).parts, protocolOf(...baseline).parts];
  const differing = own.filter(({ name, value }, i) => name !== "METRICS" && value !== other[i]!.value);
  if (differing.length > 0) {
    const parts = differing.map(({ name }) => name).join(", ");
    throw new ConflictError(
      `they were not tested on the same rows: ${candidate[0].id} and ${baseline[0].id} differ in ${parts}`,
    );
  }
  for (const [{ id, predictionsHash }] of [candidate, baseline]) {
    if (predictionsHash === null) throw new ConflictError(`what ${id} said of the test rows is not kept`);
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let begun: Promise<T> | undefined;
  return () => (begun ??= work());
}
