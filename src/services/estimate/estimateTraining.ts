/** Predicts what a training will cost before it is begun: a few of its steps are tried, and scaled up. */
import type { DatasetShape } from "../../data/spec.ts";
import { idsPerRow, numbersPerRow } from "../../fieldLayout.ts";
import type { HeadSpec } from "../../model/spec.ts";
import { pluginSource } from "../../plugin/registry.ts";
import type { NewRun } from "../../store/queueRun.ts";
import type { HyperParameters } from "../../training/hyperParameters.ts";
import type { Budget } from "../../training/pacer.ts";
import type { RunSpec } from "../../training/runSpec.ts";
import type { Installation } from "../installation.ts";
import type { MeasuredProbe } from "./measureProbe.ts";
import type { Prober } from "./runProbe.ts";
import { manifestOf } from "../stored.ts";
import { plannedTraining } from "../run/trainModel.ts";

/** How often the quick metrics could be measured in the time that the worth of the flows takes, where all rows are looked at. */
const flowEffectMeasures = 12;

export interface TrainingEstimate {
  readonly epochs: { readonly atLeast: number; readonly atMost: number };
  /** From the begin by a worker to the end, with as many epochs. */
  readonly seconds: { readonly atLeast: number; readonly atMost: number };
  readonly secondsPerEpoch: number;
  /** Of the steps alone. */
  readonly samplesPerSecond: number;
  readonly compileSeconds: number;
  readonly peakBytes: number;
  readonly parameters: number;
  readonly checkpointBytes: number;
  readonly probe: { readonly steps: number; readonly seconds: number };
}

interface Sizes {
  readonly shape: DatasetShape;
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

/** Writes nothing. Throws as `trainModel` does, and as `Prober.probe`. */
export async function estimateTraining(
  installation: Installation,
  prober: Prober,
  input: { backbone: object },
): Promise<TrainingEstimate> {
  const { store, pluginSources, scratchFolder } = installation;
  const planned = await plannedTraining(installation, input);
  const { shape, splits, files } = manifestOf(await store.datasets.get(planned.datasetId))!;
  const { sha256 } = files["train.arrow"];
  await store.artifacts.verify(sha256);
  const spec = runSpecOfPlan(planned);
  const plugin = pluginSource(pluginSources, planned.backboneName);
  const probe = await prober.probe({ spec, plugin, scratchFolder, shape, file: store.artifacts.path(sha256) });
  return scaled(spec, planned.budget as Budget | undefined, probe, { shape, ...splits });
}

/** What is written into a run is what was checked. */
function runSpecOfPlan({ kind, backboneName, backboneConfig, head, hyperParameters, seed, engine }: NewRun): RunSpec {
  return {
    kind,
    model: { backbone: { name: backboneName, config: backboneConfig }, head: head as HeadSpec },
    hyperParameters: hyperParameters as HyperParameters,
    seed,
    engine: engine as RunSpec["engine"],
  };
}

function scaled(spec: RunSpec, budget: Budget | undefined, probe: MeasuredProbe, sizes: Sizes): TrainingEstimate {
  const { kind, hyperParameters } = spec;
  const { batchSize, maxEpochs, patience, search } = hyperParameters;
  const { train, validation, test } = sizes;
  const all = train + validation + test;
  const rowsPerStep = Math.min(batchSize, train);
  const samplesPerSecond = rowsPerStep / probe.step;

  const isSearch = kind === "SEARCH";
  const most = Math.min(isSearch ? search.epochs : maxEpochs, budget?.epochs ?? Infinity);
  // One epoch to compare with, and one more than the patience without a better one.
  const least = isSearch ? most : Math.min(most, patience + 2);

  const scoring = (detail: "QUICK" | "FULL", rows: number): number =>
    rows * (probe.predictRow + probe.measureRow[detail]);
  const epoch = train / samplesPerSecond + probe.order + scoring("QUICK", validation) + probe.encode;
  // One epoch is brought to the disk while the next one is trained, but not before the one before it is there.
  const secondsPerEpoch = Math.max(epoch, probe.keep);
  // The last batch of an epoch has a graph of its own where it is shorter.
  const graphs = train > batchSize && train % batchSize > 0 ? 2 : 1;
  const compileSeconds = graphs * probe.compileStep + probe.compileScorer;
  const once = probe.start + (probe.read * all) / train + compileSeconds + scoring("FULL", validation + test);
  // A search looks at its gates before the first step, ends by asking them about every training row, and then measures
  // what each flow is worth: four flows left out and four left in.
  const gates = isSearch
    ? scoring("QUICK", validation) + train * probe.predictRow + validation * flowEffectMeasures * probe.measureRow.QUICK
    : 0;
  const secondsOf = (epochs: number): number => {
    const epochSeconds = Math.min(epochs * secondsPerEpoch, budget?.seconds ?? Infinity);
    return once + epochSeconds + gates;
  };
  return {
    epochs: { atLeast: least, atMost: most },
    seconds: { atLeast: secondsOf(least), atMost: secondsOf(most) },
    secondsPerEpoch,
    samplesPerSecond,
    compileSeconds,
    peakBytes: probe.peakBytes + bytesNotProbed(spec, sizes),
    parameters: probe.parameters,
    checkpointBytes: probe.checkpointBytes,
    probe: { steps: probe.steps, seconds: probe.steps * probe.step },
  };
}

/** The rows that the probe did not read, and what the largest split needs while it is scored. */
function bytesNotProbed({ kind, model }: RunSpec, { shape, train, validation, test }: Sizes): number {
  const { fields, layouts, tasks } = shape;
  const [ids, numbers] = layouts ? [idsPerRow(layouts), numbersPerRow(layouts)] : [fields, 0];
  const bytesPerRow = 4 * (ids + numbers + 1 + 1 + tasks.length); // and scenario, group, labels
  // Probabilities; with gates also the full logit and the flows (twice: apart, then together), gates and gate logits.
  const scoresPerRow = 4 * tasks.length * (model.head.kind === "AUTOIFS" ? 1 + 1 + 4 + 5 + 4 + 4 : 1);
  const scored = kind === "SEARCH" ? Math.max(train, validation, test) : Math.max(validation, test);
  return (validation + test) * bytesPerRow + scored * scoresPerRow;
}
