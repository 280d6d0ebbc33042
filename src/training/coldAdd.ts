/**
 * EXTEND: scenarios or tasks are added to a finished model. Only what is new is trained, on the rows of the new cells:
 * the new scenario's or task's low-rank rows, whatever the backbone has of its own for it, and an embedding table that
 * begins as the old one and serves the new cells alone. Everything else is read.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { rowsWhere } from "../data/rowsWhere.ts";
import type { DatasetShape, SplitRows } from "../data/spec.ts";
import { ConflictError, InvalidInputError } from "../errors.ts";
import type { Checkpoint, GateRule, NamedArray, NamedArrays } from "../model/checkpoint.ts";
import {
  type Addition,
  addedParts,
  additionsOf,
  additionSpecs,
  cannotGrow,
  grownArrays,
  grownParams,
  resizedRule,
} from "../model/growth.ts";
import { initialise } from "../model/initialise.ts";
import { binaryCrossEntropy } from "../model/loss.ts";
import { buildModel, type Model } from "../model/model.ts";
import type { Generation } from "../model/spec.ts";
import type { ParamSpecs } from "../plugin/contract.ts";
import { tableOfGeneration } from "../serving/generations.ts";
import { createScorer } from "../serving/predictor.ts";
import { notBegun } from "./earlyStopping.ts";
import { fit } from "./epochs.ts";
import { cellMetrics } from "./evaluate.ts";
import type { StopReason } from "./events.ts";
import { idSlots } from "./fieldDropout.ts";
import { furtherLoss, type LossFunction, ofBackbone } from "./lossFunctions.ts";
import { modelArraysOf } from "./trainingState.ts";
import type { TrainingInput, Workbench } from "./workbench.ts";

/** The input with the generations of the model that comes of it. */
export function extending(input: TrainingInput): TrainingInput {
  const { spec } = input;
  const base = baseOf(input);
  const generations = [...(base.model.generations ?? []), sizeOf(base)];
  return { ...input, spec: { ...spec, model: { ...spec.model, generations } } };
}

export async function runExtend(workbench: Workbench): Promise<{ checkpoint: Checkpoint; stopReason: StopReason }> {
  const { spec, plugin, model, description, rows, shape, hooks, pacer, scorer, saved } = workbench;
  const base = baseOf(workbench);
  const [before, after] = [sizeOf(base), sizeOf(description)];
  const oldModel = buildModel(base.model, plugin, { ...model.sizes, ...before });
  const additions = additionsOf(oldModel.weights, model.weights, plugin.name);
  const gateRule = resizedRule(base.gateRule!, before, after);
  const old = withNewGates(withNewBuffers(base.arrays, oldModel, model, plugin.name), gateRule, after.tasks);
  await assertOldCellsStay(workbench, base, old, additions);

  const isAdded = ({ scenario }: SplitRows, row: number): boolean =>
    after.tasks > before.tasks || scenario[row]! >= before.scenarios;
  const train = rowsWhere(rows.train, isAdded);
  const validation = rowsWhere(rows.validation, isAdded);
  if (train.rows === 0) throw noRows();
  const table = tableOfGeneration(description.model.generations!.length);
  const isSeen = idsSeen(train, shape, spec.hyperParameters.fieldDropout);
  const checkpointOf = ({ embedding, ...parts }: NamedArrays): Checkpoint => ({
    ...description,
    gateRule,
    arrays: { ...grownArrays(old, parts, additions), [table]: onlySeen(embedding!, old["embedding"]!, isSeen) },
  });

  const first = { ...initialise(additionSpecs(additions), spec.seed), embedding: old["embedding"]! };
  const { gates } = await scorer.predict(checkpointOf(first).arrays, train, gateRule);
  const { averagingDecay } = spec.hyperParameters;
  const learner = workbench.learner(first, additionLoss(model, additions, before), {
    model: { ...model, weights: additionSpecs(additions), gates: {}, buffers: {}, dropout: {}, noise: {} },
    frozen: frozenOf(old, model),
    averagingDecay,
    tasks: shape.tasks.slice(after.tasks > before.tasks ? before.tasks : 0),
  });
  const { kept, stopReason } = await fit({
    ...spec.hyperParameters,
    learner,
    rows: train,
    gates: Uint8Array.from(gates!),
    idSlots: idSlots(shape),
    seed: spec.seed,
    phase: "train",
    hooks,
    pacer,
    async validate() {
      const { arrays } = checkpointOf(learner.kept());
      const { probabilities } = await scorer.predict(arrays, validation, gateRule);
      const metrics = cellMetrics("validation", validation, probabilities, shape, "QUICK");
      return metrics.filter(({ scenario, task }) => isNewCell(base, scenario, task));
    },
    statistics: () => {
      const { embedding, ...parts } = learner.kept();
      return workbench.backboneStatistics({ ...grownArrays(old, parts, additions), embedding: embedding! }, validation);
    },
    ...(saved
      ? {
          from: {
            place: saved.training,
            stopping: saved.training.stopping ?? notBegun,
            kept: { ...addedParts(modelArraysOf(saved.arrays), additions), embedding: saved.arrays[table]! },
          },
        }
      : {}),
    capture: (place, stopping, best) => workbench.capture(checkpointOf(best), learner, place, stopping),
  });
  return { checkpoint: checkpointOf(kept), stopReason };
}

function isNewCell({ shape }: Checkpoint, scenario: string, task: string): boolean {
  return !shape.scenarios.includes(scenario) || !shape.tasks.includes(task);
}

/** The retrain loss of the new tasks, or of all tasks where the scenarios are new. */
function additionLoss(model: Model, additions: readonly Addition[], before: Generation): LossFunction {
  const { tasks } = model.sizes;
  const ofNewTasks = (x: Tensor2D): Tensor2D =>
    tasks === before.tasks ? x : (tf.split(x, [before.tasks, tasks - before.tasks], 1)[1] as Tensor2D);
  return (p, { features, scenarioOneHot, labels, gates }) => {
    // Without masks it is the forward pass of evaluation: what is frozen has neither dropout nor statistics of a batch.
    const parts = model.partials!(grownParams(p, additions), { features, scenarioOneHot });
    const logits = model.gatedLogits!(parts.output, gates);
    const taskLosses = binaryCrossEntropy(ofNewTasks(logits), ofNewTasks(labels));
    return { taskLosses, ...furtherLoss(...ofBackbone(model, parts, logits)), buffers: {} };
  };
}

/** What the loss reads of the old model. */
function frozenOf(old: NamedArrays, model: Model): NamedArrays {
  const read = [...Object.keys(model.weights), ...Object.keys(model.buffers)];
  return Object.fromEntries(
    read.flatMap((name) => (old[name] && !name.startsWith("gate/") ? [[name, old[name]]] : [])),
  );
}

/** New statistics stay at their first values: nothing here is trained over a batch. */
function withNewBuffers(arrays: NamedArrays, before: Model, after: Model, plugin: string): NamedArrays {
  const asParams = ({ buffers }: Model): ParamSpecs =>
    Object.fromEntries(
      Object.entries(buffers)
        .filter(([name]) => !name.startsWith("gate/"))
        .map(([name, { shape, value }]) => [name, { shape, init: { kind: "constant", value } }]),
    );
  const additions = additionsOf(asParams(before), asParams(after), plugin);
  return grownArrays(arrays, initialise(additionSpecs(additions), 0), additions);
}

/** The ids that the training rows bring to the table. */
function idsSeen({ ids }: SplitRows, shape: DatasetShape, fieldDropout: number): Uint8Array {
  const isSeen = new Uint8Array(shape.ids);
  for (const id of ids) isSeen[id] = 1;
  if (fieldDropout > 0) for (const id of shape.unknownIds) if (id >= 0) isSeen[id] = 1;
  return isSeen;
}

/** The trained table with the old rows where no training row was: L2 alone has moved those. */
function onlySeen(trained: NamedArray, old: NamedArray, isSeen: Uint8Array): NamedArray {
  const width = old.shape[1]!;
  const values = old.values.slice();
  for (const [id, seen] of isSeen.entries())
    if (seen === 1) values.set(trained.values.subarray(id * width, (id + 1) * width), id * width);
  return { shape: old.shape, values };
}

/** A gate network gets four more columns for every new task, which keep all its flows. */
function withNewGates(arrays: NamedArrays, gateRule: GateRule, tasks: number): NamedArrays {
  const [kernel, bias] = [arrays["gate/flows.kernel"], arrays["gate/flows.bias"]];
  const columns = bias ? 4 * tasks - bias.shape[0]! : 0;
  if (!kernel || !bias || gateRule.kind !== "HARD" || columns === 0) return arrays;
  const kept = Math.min(0, gateRule.threshold) - 1; // w, below the threshold
  const parts = {
    "added/gate/flows.kernel": {
      shape: [kernel.shape[0]!, columns],
      values: new Float32Array(kernel.shape[0]! * columns),
    },
    "added/gate/flows.bias": { shape: [columns], values: new Float32Array(columns).fill(kept) },
  };
  const unused = { kind: "constant", value: 0 } as const;
  return grownArrays(arrays, parts, [
    { name: "gate/flows.kernel", axis: 1, spec: { shape: parts["added/gate/flows.kernel"].shape, init: unused } },
    { name: "gate/flows.bias", axis: 0, spec: { shape: [columns], init: unused } },
  ]);
}

/**
 * Throws ConflictError where the plugin lets what is new into old cells: then one graph could not hold the model. The
 * new parts are random numbers here, so that nothing is overlooked because it begins at zero.
 */
async function assertOldCellsStay(
  { engine, plugin, description, rows, spec }: Workbench,
  base: Checkpoint,
  old: NamedArrays,
  additions: readonly Addition[],
): Promise<void> {
  const [before, after] = [sizeOf(base), sizeOf(description)];
  const count = Math.min(rows.train.rows, sampleRows);
  const ofFirst = <A extends Int32Array | Float32Array>(values: A): A =>
    values.subarray(0, (values.length / rows.train.rows) * count) as A;
  const sample = {
    rows: count,
    ids: ofFirst(rows.train.ids),
    numbers: ofFirst(rows.train.numbers),
    scenario: Int32Array.from({ length: count }, (_, row) => row % before.scenarios),
  };
  const noise = additions.map(({ spec: { shape }, ...rest }) => {
    return { ...rest, spec: { shape, init: { kind: "normal", std: 1 } as const } };
  });
  const arrays = grownArrays(old, initialise(additionSpecs(noise), spec.seed), additions);
  // One graph for all, without regard to what came in when: what the scorer of generations does not do.
  const founders = base.model.generations?.[0] ?? before;
  const oneGraph = { ...description, model: { ...description.model, generations: [founders] } };
  const single = await createScorer(engine, plugin, oneGraph, undefined, { isOneGraph: true });
  const reference = await createScorer(engine, plugin, base, undefined, { isOneGraph: true });
  try {
    const now = await single.predict(arrays, sample, resizedRule(base.gateRule!, before, after));
    const was = await reference.predict(base.arrays, sample, base.gateRule);
    for (let row = 0; row < count; row++) {
      for (let m = 0; m < before.tasks; m++) {
        const difference = now.probabilities[row * after.tasks + m]! - was.probabilities[row * before.tasks + m]!;
        if (!(Math.abs(difference) <= tolerance)) throw cannotGrow(plugin.name, "what is added changes the old cells");
      }
    }
  } finally {
    await single.release();
    await reference.release();
  }
}

/** Rows on which the old cells are looked at, and how far rounding alone may move a probability. */
const sampleRows = 256;
const tolerance = 1e-5;

function baseOf({ parent, shape }: Pick<TrainingInput, "parent" | "shape">): Checkpoint {
  if (!parent || parent.model.head.kind !== "AUTOIFS" || !parent.gateRule || parent.gateRule.kind === "SOFT") {
    const message = "extend: expected the checkpoint of a pruned model as the parent";
    throw new InvalidInputError(message, { field: "parent" });
  }
  const [before, after] = [parent.shape, shape];
  const grows = (old: readonly string[], now: readonly string[]): boolean => old.every((key, i) => now[i] === key);
  const added = [after.scenarios.length - before.scenarios.length, after.tasks.length - before.tasks.length];
  if (
    !grows(before.scenarios, after.scenarios) ||
    !grows(before.tasks, after.tasks) ||
    before.ids !== after.ids ||
    added.filter((count) => count > 0).length !== 1
  ) {
    const expected = "the vocabulary of the model, and new scenarios or new tasks behind its own";
    throw new ConflictError(`extend: expected a dataset with ${expected}`, { field: "dataset", expected });
  }
  return parent;
}

function sizeOf({ shape }: Pick<Checkpoint, "shape">): Generation {
  return { scenarios: shape.scenarios.length, tasks: shape.tasks.length };
}

function noRows(): InvalidInputError {
  const expected = "training rows of the new scenario";
  return new InvalidInputError(`extend: expected ${expected}, got none`, {
    field: "dataset",
    expected,
    received: "none",
  });
}
