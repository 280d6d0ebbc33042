/** How the training rows of a dataset spread over the bins; counted when it is first asked for, and kept. */
import type { Dataset } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import { manifestOf } from "../stored.ts";
import type { DriftMeasurer } from "./driftMeasurer.ts";
import type { TrainingDistribution } from "./driftOrder.ts";

export type TrainingDistributions = (dataset: Dataset) => Promise<TrainingDistribution>;

/** The dataset is READY. Throws NotFoundError where its files are gone. */
export function createTrainingDistributions(
  { artifacts, served }: Pick<Store, "artifacts" | "served">,
  measurer: DriftMeasurer,
): TrainingDistributions {
  /** By dataset: those who ask meanwhile wait for the same count. */
  const underWay = new Map<string, Promise<TrainingDistribution>>();

  const count = async (dataset: Dataset): Promise<TrainingDistribution> => {
    const { files } = manifestOf(dataset)!;
    const [train, transform] = [files["train.arrow"].sha256, files["transform.json"].sha256];
    await Promise.all([artifacts.verify(train), artifacts.verify(transform)]);
    const distribution = await measurer.carryOut({
      kind: "TRAINING",
      trainFile: artifacts.path(train),
      transformFile: artifacts.path(transform),
    });
    await served.keepTrainingDistribution(dataset.id, distribution);
    return distribution;
  };

  return async (dataset) => {
    // Only this program writes them.
    const kept = (await served.trainingDistribution(dataset.id)) as TrainingDistribution | null;
    if (kept !== null) return kept;
    const counted = underWay.get(dataset.id) ?? count(dataset).finally(() => underWay.delete(dataset.id));
    underWay.set(dataset.id, counted);
    return counted;
  };
}
