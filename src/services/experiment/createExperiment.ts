/** Begins an experiment: configurations × points of a sweep × datasets × seeds, each combination a trial. */
import { setImmediate as turn } from "node:timers/promises";
import type { DatasetShape } from "../../data/spec.ts";
import { defaultEngine } from "../../engine/engines.ts";
import type { Experiment } from "../../store/rows.ts";
import { defaultHyperParameters } from "../../training/hyperParameters.ts";
import { checkNumbers, checkSelection, completeSelection } from "../run/completeHyperParameters.ts";
import { parseExperiment } from "./experimentInput.ts";
import type { ExperimentInput, SweepInput } from "./experimentInput.ts";
import type { ExperimentSpec, Objective, Rungs, SweepPoint, TrialConfiguration } from "./experimentSpec.ts";
import type { Installation } from "../installation.ts";
import { refusal, shown } from "../parseInput.ts";
import type { PlannedModel } from "../run/plannedModel.ts";
import { retrainNumbers } from "../run/plannedPrune.ts";
import { completePruneRule } from "../run/pruneRuleInput.ts";
import { readyDataset } from "../dataset/readyDataset.ts";
import { manifestOf } from "../stored.ts";
import { sweepPoints } from "./sweepPoints.ts";
import { sweptModel } from "./sweptModel.ts";

type ConfigurationInput = ExperimentInput["configurations"][number];

const mostTrials = 10_000;
/** All trials of an ASHA sweep may wait at a rung at once, and are weighed against each other. */
const mostAshaTrials = 1000;
/** Configurations that are checked before other requests have their turn. */
const atOnce = 100;

/**
 * Writes the experiment (RUNNING), its trials and its job; its runs are queued by the job. Everything is checked before.
 * Throws InvalidInputError with the path of what is wrong, NotFoundError for a dataset or plugin, ConflictError for a
 * dataset that is not READY.
 */
export async function createExperiment(installation: Installation, given: unknown): Promise<Experiment> {
  const input = parseExperiment(given);
  const shapes = await Promise.all(
    input.datasets.map(async (id, index) => {
      const dataset = await readyDataset(installation, id, `input.datasets[${index}]`);
      return manifestOf(dataset)!.shape;
    }),
  );
  const points = pointsOf(input);
  const spec = specOf(input, points.length, shapes);
  const configurations = await plannedConfigurations(installation, input, points, shapes);
  const trials = configurations.flatMap((configuration) =>
    input.datasets.flatMap((datasetId) => input.seeds.map((seed) => ({ configuration, datasetId, seed }))),
  );
  return installation.store.experiments.create({ name: input.name, spec, trials });
}

/** Without a sweep the one point that changes nothing. */
function pointsOf({ configurations, datasets, seeds, sweep }: ExperimentInput): SweepPoint[] {
  const trialsPerPoint = configurations.length * datasets.length * seeds.length;
  if (trialsPerPoint > mostTrials) {
    const expected = `at most ${mostTrials} trials: configurations × datasets × seeds`;
    throw refusal("input.seeds", expected, String(trialsPerPoint));
  }
  if (!sweep) return [{}];
  return sweepPoints(sweep, Math.floor((sweep.kind === "ASHA" ? mostAshaTrials : mostTrials) / trialsPerPoint));
}

/** Configuration by configuration, each point by point. */
async function plannedConfigurations(
  { plugins }: Pick<Installation, "plugins">,
  { configurations, sweep }: ExperimentInput,
  points: readonly SweepPoint[],
  shapes: readonly DatasetShape[],
): Promise<TrialConfiguration[]> {
  const planned: TrialConfiguration[] = [];
  for (const [index, configuration] of configurations.entries()) {
    const field = `input.configurations[${index}]`;
    const { name, prune: _, ...model } = configuration;
    for (const values of points) {
      if (planned.length % atOnce === atOnce - 1) await turn();
      const swept = { field, parameters: sweep?.parameters ?? [] };
      const whole = sweptModel(plugins, { ...model, engine: defaultEngine }, values, swept);
      const prune = plannedRetrain(configuration, whole, field);
      for (const shape of shapes) {
        checkNumbers(whole.hyperParameters, shape, `${field}.hyperParameters`);
        if (prune) checkNumbers(prune.hyperParameters, shape, `${field}.prune.retrain`);
      }
      if (sweep?.rungs) checkRungs(sweep.rungs, whole, name);
      planned.push({ name, values, model: whole, prune });
    }
  }
  return planned;
}

function plannedRetrain(
  { prune }: ConfigurationInput,
  { head, hyperParameters, preset }: PlannedModel,
  field: string,
): TrialConfiguration["prune"] {
  if (!prune) return null;
  if (head.kind === "TOWERS") throw refusal(`${field}.prune`, "nothing, as head TOWERS has no search", shown(prune));
  const { retrain, ...given } = prune;
  const rule = completePruneRule(given, head.gates, `${field}.prune`);
  return { rule, hyperParameters: retrainNumbers(hyperParameters, preset, retrain, `${field}.prune.retrain`) };
}

/** A search that is cut off before its last epoch has gates that are still soft. */
function checkRungs({ maximumEpochs }: NonNullable<SweepInput["rungs"]>, model: PlannedModel, name: string): void {
  const { epochs } = model.hyperParameters.search;
  if (model.kind === "TRAIN" || maximumEpochs >= epochs) return;
  const expected = `at least the ${epochs} epochs of the search of ${shown(name)}`;
  throw refusal("input.sweep.rungs.maximumEpochs", expected, String(maximumEpochs));
}

function specOf(input: ExperimentInput, points: number, shapes: readonly DatasetShape[]): ExperimentSpec {
  const { configurations, datasets, seeds, runBudget = null, budget = null, sweep } = input;
  if (sweep?.rungs && runBudget?.epochs !== undefined) {
    throw refusal("input.runBudget.epochs", "nothing, as the rungs of the sweep say it", String(runBudget.epochs));
  }
  return {
    configurations: configurations.map(({ name, prune }) => ({ name, isPruned: prune !== undefined })),
    datasets,
    seeds,
    runBudget,
    budget,
    objective: objectiveOf(sweep, shapes),
    sweep: sweep ? { kind: sweep.kind, seed: sweep.seed, points, rungs: rungsOf(sweep) } : null,
  };
}

function objectiveOf(sweep: SweepInput | undefined, shapes: readonly DatasetShape[]): Objective {
  const field = "input.sweep.objective";
  const { selection } = defaultHyperParameters("RECOMMENDED");
  const completed = completeSelection(selection, sweep?.objective, field);
  for (const shape of shapes) checkSelection(completed, shape, field);
  const { metric, over, weights } = completed;
  return { metric, over, weights };
}

/** minimumEpochs, and reductionFactor times as many at each rung, up to maximumEpochs. */
function rungsOf({ rungs }: SweepInput): Rungs | null {
  if (!rungs) return null;
  const { minimumEpochs, reductionFactor, maximumEpochs } = rungs;
  const epochs: number[] = [];
  for (let at = minimumEpochs; at < maximumEpochs; at *= reductionFactor) epochs.push(at);
  return { epochs: [...epochs, maximumEpochs], reductionFactor };
}
