/**
 * A trained model made smaller without changing what it answers: flows that are removed nowhere are gone, with gates of
 * cells also the gate network and its table; low-rank pairs and batch norm are multiplied into their matrices where that
 * is smaller or faster; equal rows of tables are kept once. The backbone is a black box and stays as it is.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";
import type { BackbonePlugin, Params } from "../../plugin/contract.ts";
import { type Checkpoint, type GateRule, modelSizes } from "../checkpoint.ts";
import { type FieldGroup, gateFieldsOf } from "../gateFields.ts";
import { composedLogits } from "../conditionalTasks.ts";
import { softGates } from "../loss.ts";
import { buildModel, type Model } from "../model.ts";
import { rowSlots } from "../rowSlots.ts";
import type { AutoIfsHead, ModelSizes } from "../spec.ts";
import { type Constants, createConstants, type FoldedArray } from "./constants.ts";
import { foldHead } from "./foldHead.ts";
import { tableRows } from "./quantisedTables.ts";
import { shareRows } from "./sharedRows.ts";

export interface FoldedModel {
  readonly sizes: ModelSizes;
  /** Index of the only scenario it answers for; undefined where it answers for all. */
  readonly only: number | undefined;
  /** Those under `tablePrefix` are embedding tables and what finds rows in them. */
  readonly constants: Readonly<Record<string, FoldedArray>>;
  /** Final logits [batch, T], composed where tasks are conditional. */
  logits(p: Params, inputs: FoldedInputs): Tensor2D;
}

export interface FoldedInputs {
  /** int32 [batch, ids] */
  readonly ids: Tensor2D;
  /** [batch, numbers]; absent where there are none. */
  readonly numbers?: Tensor2D | undefined;
  /** int32 [batch]; not read where `only` is set. */
  readonly scenario?: Tensor1D;
}

export interface FoldOptions {
  /** Index of the only scenario to answer for; default: all. */
  readonly only?: number;
}

/** Constants under this are tables. Those of numbers may be given quantised (`quantisedTable`). */
export const tablePrefix = "table/";

export function foldModel(checkpoint: Checkpoint, plugin: BackbonePlugin, options: FoldOptions = {}): FoldedModel {
  const { arrays, gateRule } = checkpoint;
  const sizes = modelSizes(checkpoint);
  const { head } = checkpoint.model;
  const model = buildModel(checkpoint.model, plugin, sizes);
  const only = options.only ?? (sizes.scenarios === 1 ? 0 : undefined);
  const constants = createConstants();
  const keep = (prefix: string): void => {
    for (const [name, array] of Object.entries(arrays)) if (name.startsWith(prefix)) constants.add(name, array);
  };
  keep("fields/");
  keep("backbone/");
  const scenarioOneHot = foldOneHot(constants, sizes.scenarios, only);
  if (head.kind === "TOWERS") {
    keep("head/");
    const { features } = foldTables(constants, checkpoint, model, false);
    const logits: FoldedModel["logits"] = (p, inputs) =>
      model.towers!(p, { features: features(p, inputs), scenarioOneHot: scenarioOneHot(p, inputs) }).output;
    return { sizes, only, constants: constants.arrays, logits };
  }

  const isByRow = head.gates === "ROW" && gateRule?.kind !== "FIXED";
  if (isByRow) keep("gate/");
  if (isByRow) keep("gateFields/");
  const { features, gateFeatures } = foldTables(constants, checkpoint, model, isByRow);
  const logitsOf = foldHead({
    constants,
    head,
    arrays,
    only,
    tasks: sizes.tasks,
    perTask: model.perTask,
    cellGates: isByRow ? undefined : cellGatesOf(checkpoint, head),
  });
  const gates = isByRow ? rowGates(model, constants, gateRule!) : undefined;
  return {
    sizes,
    only,
    constants: constants.arrays,
    logits(p, inputs) {
      const oneHot = scenarioOneHot(p, inputs);
      const rows = { features: features(p, inputs), scenarioOneHot: oneHot };
      const { representations, logitBias } = model.backbone(p, rows);
      const ofRows = gates?.(p, { features: gateFeatures(p, inputs), scenarioOneHot: oneHot });
      const logits = logitsOf(p, representations, only === undefined ? inputs.scenario : undefined, ofRows);
      return composedLogits(logitBias ? tf.add(logits, logitBias) : logits, sizes.conditions);
    },
  };
}

/** Gates [S, T, 4] that are the same for all rows of a cell. */
function cellGatesOf({ gateRule, arrays }: Checkpoint, head: AutoIfsHead): readonly number[] {
  if (gateRule?.kind === "FIXED") return gateRule.removed;
  const cells = arrays["gate/cells"];
  if (!gateRule || !cells || head.gates !== "CELL") throw new Error("fold: expected a model with gates");
  return Array.from(cells.values, (w) =>
    gateRule.kind === "HARD" ? Number(w > gateRule.threshold) : 1 / (1 + Math.exp(-gateRule.temperature * w)),
  );
}

type GatesOfRows = (p: Params, inputs: { features: Tensor2D; scenarioOneHot: Tensor2D }) => Tensor2D;

/** Gates [batch, 4T] from the gate network. */
function rowGates(model: Model, constants: Constants, rule: GateRule): GatesOfRows {
  const number = rule.kind === "SOFT" ? rule.temperature : rule.kind === "HARD" ? rule.threshold : 0;
  const name = constants.add("head/gateRule", { shape: [1], values: Float32Array.of(number) });
  return (p, inputs) => {
    const w = model.gateLogits!(p, inputs).output; // [batch, 4T]
    return rule.kind === "SOFT" ? softGates(w, p[name]!) : tf.cast(tf.greater(w, p[name]!), "float32");
  };
}

/** The scenario as backbones want to see it [batch, S]; of one scenario the same for all rows. */
function foldOneHot(constants: Constants, scenarios: number, only: number | undefined) {
  const identity = Float32Array.from({ length: scenarios * scenarios }, (_, i) => Number(i % (scenarios + 1) === 0));
  const name = constants.add("scenarios", { shape: [scenarios, scenarios], values: identity });
  return (p: Params, { ids, scenario }: FoldedInputs): Tensor2D => {
    if (only === undefined) return tf.gather(p[name] as Tensor2D, scenario!);
    // The same index for every row, made of something that has a row for each.
    const zeros = tf.mul(tf.squeeze(tf.slice(ids, [0, 0], [-1, 1]), [1]), tf.scalar(0, "int32")); // [batch]
    return tf.gather(p[name] as Tensor2D, tf.cast(tf.add(zeros, tf.scalar(only, "int32")), "int32"));
  };
}

type Features = (p: Params, inputs: FoldedInputs) => Tensor2D;

/** One embedding per field [batch, fields·e], for the backbone and for the gate network. */
function foldTables(
  constants: Constants,
  { arrays, embeddingDim }: Checkpoint,
  model: Model,
  withGates: boolean,
): { features: Features; gateFeatures: Features } {
  const embedding = arrays["embedding"]!.values;
  const gateEmbedding = withGates ? arrays["gateEmbedding"]?.values : undefined;
  const tables = gateEmbedding ? [embedding, gateEmbedding] : [embedding];
  const gateGroup: FieldGroup = Object.keys(gateFieldsOf(arrays)).length > 0 ? "gateFields" : "fields";
  const slots = rowSlots(model.sizes);
  const table = (name: string, values: Float32Array): string =>
    constants.add(`${tablePrefix}${name}`, { shape: [values.length / embeddingDim, embeddingDim], values });
  const through = (name: string, map: string | undefined, group: FieldGroup): Features => {
    return (p, { ids, numbers }) => {
      const rows = map === undefined ? ids : tf.gather(p[map] as Tensor, ids); // [batch, ids]
      const gathered: Tensor2D = tf.reshape(tableRows(p, name, rows), [-1, slots.ids * embeddingDim]);
      return model.features(p, { gathered, present: slots.present(ids), numbers }, group);
    };
  };
  const shared = shareRows(tables, embeddingDim);
  if (!shared) {
    const features = through(table("embedding", embedding), undefined, "fields");
    return {
      features,
      gateFeatures: gateEmbedding ? through(table("gateEmbedding", gateEmbedding), undefined, gateGroup) : features,
    };
  }
  const rows = table("rows", shared.table);
  const [features, gateFeatures] = shared.rowOfId.map((map, i) =>
    through(
      rows,
      map &&
        constants.add(`${tablePrefix}${i === 0 ? "rowOfId" : "gateRowOfId"}`, { shape: [map.length], values: map }),
      i === 0 ? "fields" : gateGroup,
    ),
  );
  return { features: features!, gateFeatures: gateFeatures ?? features! };
}
