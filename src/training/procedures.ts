/** What each kind of run does between its first arrays and its checkpoint. */
import type { Checkpoint, GateRule, NamedArrays } from "../model/checkpoint.ts";
import { asGateFields } from "../model/gateFields.ts";
import { initialise, initialiseBuffers } from "../model/initialise.ts";
import type { HeadSpec } from "../model/spec.ts";
import type { ParamSpecs } from "../plugin/contract.ts";
import { glorotUniform, param } from "../plugin/layers.ts";
import { notBegun } from "./earlyStopping.ts";
import { fit } from "./epochs.ts";
import { idSlots } from "./fieldDropout.ts";
import type { FlowStatistic, GateEpoch, StopReason } from "./events.ts";
import { flowStatistics } from "./flowStatistics.ts";
import { cellSearchLoss, retrainLoss, searchLoss, towersLoss } from "./lossFunctions.ts";
import { firstGates, measuredGates, removalProbabilities } from "./measuredGates.ts";
import { changesOf, flowPlace, gateThreshold, prunePlan, type SearchedRows, searchedRows } from "./prunePlan.ts";
import { type AllowedLoss, type PruneRule, refusedPrune, worstBreach } from "./pruneRule.ts";
import { search, temperatureAt } from "./searchProcedure.ts";
import { modelArraysOf } from "./trainingState.ts";
import type { Workbench } from "./workbench.ts";

interface ProcedureResult {
  readonly checkpoint: Checkpoint;
  readonly stopReason: StopReason;
}

/** SEARCH: soft gates; the checkpoint holds the end of the search and, under "rewind/", where a retrain starts. */
export async function runSearch(workbench: Workbench): Promise<ProcedureResult> {
  const { spec, model, description, rows, hooks, scorer, shape, pacer, saved, capture } = workbench;
  const { search: parameters, ...hyperParameters } = spec.hyperParameters;
  const first = saved?.arrays ?? searchArrays(workbench);
  const cells = hasCellGates(spec.model.head) ? first[cellGatesName]! : undefined;
  const learner = cells
    ? workbench.learner(first, cellSearchLoss(model), { averagingDecay: 0 })
    : workbench.learner(
        first,
        searchLoss(
          model,
          shape.tasks.map(() => parameters.gateRegulariser),
        ),
        { gates: { learningRate: parameters.gateLearningRate, l2: 0 }, averagingDecay: 0 },
      );
  const current = (): NamedArrays => ({ ...learner.current(), ...(cells ? { [cellGatesName]: cells } : {}) });
  const checkpointOf = (arrays: NamedArrays, rewind: NamedArrays, temperature: number): Checkpoint => ({
    ...description,
    gateRule: { kind: "SOFT", temperature },
    arrays: { ...arrays, ...prefixed(rewind) },
  });
  const measured = async (temperature: number, epoch: number) => {
    const { metrics, partialLogits, gates } = await validatedSearch(workbench, current(), { epoch, temperature });
    if (cells && epoch > 0) {
      const [scenarios, tasks] = [shape.scenarios.length, shape.tasks.length];
      const { conditions } = shape;
      const conditional = conditions ? { conditional: { conditions, gates: gates! } } : {};
      const measurement = { rows: rows.validation, partialLogits: partialLogits!, scenarios, tasks, ...conditional };
      cells.values.set(measuredGates(cells.values, epoch - 1, measurement, parameters));
    }
    return metrics;
  };
  if (!saved) await measured(temperatureAt(0, parameters.epochs, parameters.finalTemperature), 0);
  const result = await search({
    learner,
    rows: rows.train,
    seed: spec.seed,
    idSlots: idSlots(shape),
    hooks,
    pacer,
    hyperParameters: { ...hyperParameters, search: parameters },
    current,
    ...(cells ? { removal: (epoch: number) => removalProbabilities(cells.values, epoch, parameters) } : {}),
    validate: measured,
    statistics: () => workbench.backboneStatistics(current()),
    ...(saved ? { from: { place: saved.training, rewind: rewindOf(saved.arrays) } } : {}),
    capture: (place, rewind, temperature) => capture(checkpointOf(current(), rewind, temperature), learner, place),
  });
  const { final, rewind, temperature, stopReason } = result;
  const { gateLogits } = await scorer.predict(final, rows.train, { kind: "SOFT", temperature });
  hooks.flows(flowStatistics(rows.train, gateLogits!, shape, { threshold: 0, temperature }));
  return { checkpoint: checkpointOf(final, rewind, temperature), stopReason };
}

/** PRUNE (spec §7): weights and embedding from the rewind epoch, gates and all they read from the search's end. */
export async function runPrune(workbench: Workbench): Promise<ProcedureResult> {
  const { spec, model, description, parent, rows, scorer } = workbench;
  const searched = await searchedRows(scorer, parent, rows.validation);
  const rule: PruneRule = spec.prune ?? { granularity: searched.cellLogits ? "CELL" : "ROW", threshold: 0.5 };
  const { gateRule } = prunePlan(rule, searched);
  const isGate = (name: string): boolean => name.startsWith("gate/");
  const gateNetwork = Object.entries(parent!.arrays).filter(([name]) => isGate(name));
  const frozen: NamedArrays =
    gateRule.kind === "FIXED"
      ? {}
      : {
          ...Object.fromEntries(gateNetwork),
          ...asGateFields(parent!.arrays),
          gateEmbedding: parent!.arrays["embedding"]!,
        };
  const weights = Object.fromEntries(Object.entries(rewindOf(parent!.arrays)).filter(([name]) => !isGate(name)));

  await reportPrunedFlows(workbench, rule, gateRule);
  const { gates } = await scorer.predict({ ...weights, ...frozen }, rows.train, gateRule);
  const { averagingDecay } = spec.hyperParameters;
  const learner = workbench.learner(weights, retrainLoss(model), { averagingDecay });
  const checkpointOf = (kept: NamedArrays): Checkpoint => ({
    ...description,
    gateRule,
    arrays: { ...kept, ...frozen },
  });
  const { kept, stopReason } = await fit({
    ...fitOptions(workbench, Object.keys(learner.kept())),
    learner,
    gates: Uint8Array.from(gates!),
    phase: "retrain",
    validate: () => validated(workbench, { ...learner.kept(), ...frozen }, gateRule),
    statistics: () => workbench.backboneStatistics(learner.kept()),
    capture: (place, stopping, best) => workbench.capture(checkpointOf(best), learner, place, stopping),
  });
  if (rule.allowedLoss) await verifyPrune(workbench, rule.allowedLoss, searched, checkpointOf(kept));
  return { checkpoint: checkpointOf(kept), stopReason };
}

/** What the gates of the search do to the training rows, and what is removed of it. */
async function reportPrunedFlows(workbench: Workbench, { threshold: share = 0.5 }: PruneRule, gateRule: GateRule) {
  const { parent, rows, hooks, scorer, shape } = workbench;
  const { arrays, gateRule: soft } = parent!;
  const { temperature } = soft as Extract<GateRule, { kind: "SOFT" }>;
  const { gateLogits } = await scorer.predict(arrays, rows.train, soft);
  const at = { threshold: gateThreshold(share, temperature), temperature };
  const statistics = flowStatistics(rows.train, gateLogits!, shape, at);
  const fixed = (of: FlowStatistic): number | undefined =>
    gateRule.kind === "FIXED" ? gateRule.removed[flowPlace(shape, of)] : undefined;
  hooks.flows(statistics.map((of) => ({ ...of, shareRemoved: fixed(of) ?? of.shareRemoved })));
}

/** Reports the changes cell by cell. Throws PruneRefusedError where a cell of the finished model loses more than it may. */
async function verifyPrune(
  { scorer, rows, hooks }: Workbench,
  allowedLoss: AllowedLoss,
  searched: SearchedRows,
  { arrays, gateRule }: Checkpoint,
): Promise<void> {
  const { probabilities } = await scorer.predict(arrays, rows.validation, gateRule);
  const changes = changesOf(searched, probabilities);
  hooks.verified(changes);
  const breach = worstBreach(changes, allowedLoss);
  if (breach) throw refusedPrune(breach);
}

/** TRAIN: towers on the backbone, no gates. */
export async function runTowers(workbench: Workbench): Promise<ProcedureResult> {
  const { spec, model, description } = workbench;
  const arrays = firstArrays(workbench, model.weights);
  const { averagingDecay } = spec.hyperParameters;
  const learner = workbench.learner(arrays, towersLoss(model), { averagingDecay });
  const checkpointOf = (kept: NamedArrays): Checkpoint => ({ ...description, arrays: kept });
  const { kept, stopReason } = await fit({
    ...fitOptions(workbench, Object.keys(learner.kept())),
    learner,
    phase: "train",
    validate: () => validated(workbench, learner.kept()),
    statistics: () => workbench.backboneStatistics(learner.kept()),
    capture: (place, stopping, best) => workbench.capture(checkpointOf(best), learner, place, stopping),
  });
  return { checkpoint: checkpointOf(kept), stopReason };
}

async function validated(workbench: Workbench, arrays: NamedArrays, gateRule?: GateRule) {
  return (await workbench.evaluate("validation", "QUICK", arrays, gateRule)).metrics;
}

/** The same with the soft gates of a search, of which it also reports what they do to the rows. */
async function validatedSearch(workbench: Workbench, arrays: NamedArrays, at: Omit<GateEpoch, "flows">) {
  const { hooks, rows, shape } = workbench;
  const { temperature } = at;
  const evaluation = await workbench.evaluate("validation", "QUICK", arrays, { kind: "SOFT", temperature });
  const flows = flowStatistics(rows.validation, evaluation.gateLogits!, shape, { threshold: 0, temperature });
  hooks.gates({ ...at, flows });
  return evaluation;
}

/** `names`: the arrays that are trained, those to be kept. */
function fitOptions({ spec, rows, shape, hooks, pacer, saved }: Workbench, names: readonly string[]) {
  const keptOf = (arrays: NamedArrays) => Object.fromEntries(names.map((name) => [name, arrays[name]!]));
  const from = saved && {
    place: saved.training,
    stopping: saved.training.stopping ?? notBegun,
    kept: keptOf(modelArraysOf(saved.arrays)),
  };
  return {
    ...spec.hyperParameters,
    rows: rows.train,
    idSlots: idSlots(shape),
    seed: spec.seed,
    hooks,
    pacer,
    ...(from ? { from } : {}),
  };
}

function searchArrays(workbench: Workbench): NamedArrays {
  const { model, spec } = workbench;
  const arrays = firstArrays(workbench, { ...model.weights, ...model.gates });
  const { epochs, gateInitialBias } = spec.hyperParameters.search;
  const cells = arrays[cellGatesName];
  if (cells) return { ...arrays, [cellGatesName]: { ...cells, values: firstGates(cells.values.length / 4, epochs) } };
  const bias = arrays["gate/flows.bias"]!.values;
  for (const i of bias.keys()) bias[i]! += gateInitialBias;
  return arrays;
}

/** The embedding table (Glorot uniform over [ids, e]), parameters and buffers at the start. */
function firstArrays({ spec, shape, model }: Workbench, params: ParamSpecs): NamedArrays {
  const { embeddingDim } = spec.hyperParameters;
  const table = { embedding: param([shape.ids, embeddingDim], glorotUniform(shape.ids, embeddingDim)) };
  return { ...initialise({ ...table, ...params }, spec.seed), ...initialiseBuffers(model.buffers) };
}

const cellGatesName = "gate/cells";

function hasCellGates(head: HeadSpec): boolean {
  return head.kind === "AUTOIFS" && head.gates === "CELL";
}

const rewindPrefix = "rewind/";

function prefixed(arrays: NamedArrays): NamedArrays {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`${rewindPrefix}${name}`, array]));
}

function rewindOf(arrays: NamedArrays): NamedArrays {
  return Object.fromEntries(
    Object.entries(arrays)
      .filter(([name]) => name.startsWith(rewindPrefix))
      .map(([name, array]) => [name.slice(rewindPrefix.length), array]),
  );
}
