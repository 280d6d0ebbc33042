/**
 * From what a row holds for its fields to one embedding per field, which is all that backbones and gate networks see. Where
 * every field is one id there is nothing to do, and nothing is done.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";
import { InvalidInputError } from "../errors.ts";
import { type FieldLayout, idsPerRow, numbersPerRow } from "../fieldLayout.ts";
import type { Params, ParamSpecs } from "../plugin/contract.ts";
import { dense, denseParams, matrix, param, zeros } from "../plugin/layers.ts";
import { pooledIds } from "./rowSlots.ts";
import type { ModelSizes } from "./spec.ts";

export interface FieldInputs {
  /** Embeddings of all ids of a row, as they are in the table [batch, ids·e]. */
  readonly gathered: Tensor2D;
  /** Of the ids of POOLED fields, in order: 1, or 0 for padding [batch, pooled ids]; absent where there are none. */
  readonly present?: Tensor2D | undefined;
  /** [batch, numbers]; absent where there are none. */
  readonly numbers?: Tensor2D | undefined;
}

export interface FieldEmbeddings {
  readonly params: ParamSpecs;
  /** The embeddings of all fields side by side [batch, fields·e]. */
  features(p: Params, inputs: FieldInputs): Tensor2D;
}

/** Parameters begin with the place of their field: "3.attention". Throws InvalidInputError where no field has an id. */
export function fieldEmbeddings({
  embeddingDim: e,
  layouts = [],
}: Pick<ModelSizes, "embeddingDim" | "layouts">): FieldEmbeddings {
  if (layouts.every(({ kind }) => kind === "ID")) return { params: {}, features: (_, { gathered }) => gathered };
  if (idsPerRow(layouts) === 0) throw onlyVectors();
  const runs = runsOf(layouts);
  const sizes = {
    gathered: runs.map((run) => e * idsPerRow(run.layouts)),
    present: runs.map((run) => pooledIds(run.layouts)),
    numbers: runs.map((run) => numbersPerRow(run.layouts)),
  };
  const embed = (p: Params, { first, layouts: own }: Run, inputs: RunInputs): Tensor2D => {
    const { gathered, present, numbers, target } = inputs;
    const layout = own[0]!;
    switch (layout.kind) {
      case "ID":
        return gathered!;
      case "VALUE":
        return timesValues(gathered!, numbers!, own.length);
      case "POOLED":
        return pooled(gathered!, present!, target && { q: target, deviation: matrix(p, attentionOf(first)) });
      case "VECTOR":
        return dense(p, projectionOf(first), numbers!); // v·P + b [batch, e]
      default:
        return layout satisfies never;
    }
  };
  return {
    params: paramsOf(layouts, e),
    features(p, { gathered, present, numbers }) {
      const [ids, isThere, values] = [
        partsOf(gathered, sizes.gathered),
        partsOf(present, sizes.present),
        partsOf(numbers, sizes.numbers),
      ];
      const parts = runs.map((run, i) => {
        const target = ids[runs.findIndex(({ first }) => first === attendedBy(run.layouts[0]!))];
        return embed(p, run, { gathered: ids[i], present: isThere[i], numbers: values[i], target });
      });
      return parts.length === 1 ? parts[0]! : tf.concat2d(parts, 1); // [batch, fields·e]
    },
  };
}

/** Neighbouring fields that are computed together: several only of kind ID, none of which is attended to, or VALUE. */
interface Run {
  /** Place of its first field. */
  readonly first: number;
  readonly layouts: readonly FieldLayout[];
}

/** What a run has of the inputs, undefined where that is nothing. */
interface RunInputs {
  readonly gathered: Tensor2D | undefined;
  readonly present: Tensor2D | undefined;
  readonly numbers: Tensor2D | undefined;
  /** Embedding of the field that it attends to [batch, e]. */
  readonly target: Tensor2D | undefined;
}

function runsOf(layouts: readonly FieldLayout[]): readonly Run[] {
  const attended = new Set(layouts.map(attendedBy));
  const runs: { first: number; layouts: FieldLayout[]; isOpen: boolean }[] = [];
  for (const [field, layout] of layouts.entries()) {
    const isOpen = layout.kind === "VALUE" || (layout.kind === "ID" && !attended.has(field));
    const last = runs.at(-1);
    if (isOpen && last?.isOpen && last.layouts[0]!.kind === layout.kind) last.layouts.push(layout);
    else runs.push({ first: field, layouts: [layout], isOpen });
  }
  return runs;
}

function paramsOf(layouts: readonly FieldLayout[], e: number): ParamSpecs {
  const perField = layouts.map((layout, field): ParamSpecs => {
    if (layout.kind === "VECTOR") return denseParams(projectionOf(field), layout.width, e);
    return attendedBy(layout) === undefined ? {} : { [attentionOf(field)]: param([e, e], zeros) };
  });
  return Object.assign({}, ...perField) as ParamSpecs;
}

const projectionOf = (field: number): string => `${field}.projection`;
const attentionOf = (field: number): string => `${field}.attention`;

function attendedBy(layout: FieldLayout): number | undefined {
  return layout.kind === "POOLED" ? layout.attendsTo : undefined;
}

/** Embeddings [batch, fields·e] times one number each [batch, fields]. */
function timesValues(gathered: Tensor2D, numbers: Tensor2D, fields: number): Tensor2D {
  if (fields === 1) return tf.mul(gathered, numbers);
  const width = gathered.shape[1];
  const scaled = tf.mul(tf.reshape(gathered, [-1, fields, width / fields]), tf.reshape(numbers, [-1, fields, 1])); // [batch, fields, e]
  return tf.reshape(scaled, [-1, width]);
}

/**
 * Σ_l a_l·k_l over the ids k [batch, length·e] that are `present` [batch, length]: their mean, or a = softmax of
 * (q·W)·k_l/√e. A row without any gives zeros.
 *
 * W = I + `deviation`, so it begins at the identity, where what equals the target weighs most, and L2 draws it there.
 */
function pooled(
  gathered: Tensor2D,
  present: Tensor2D,
  attention?: { readonly q: Tensor2D; readonly deviation: Tensor2D },
): Tensor2D {
  const length = present.shape[1];
  const e = gathered.shape[1] / length;
  const k: Tensor3D = tf.reshape(gathered, [-1, length, e]); // [batch, length, e]
  const isThere: Tensor3D = tf.reshape(present, [-1, 1, length]); // [batch, 1, length]
  const mean = (): Tensor3D => tf.div(isThere, tf.maximum(tf.sum(isThere, 2, true), 1)); // [batch, 1, length]
  const attended = (q: Tensor2D, deviation: Tensor2D): Tensor3D => {
    const query = tf.mul(tf.add(q, tf.matMul(q, deviation)), 1 / Math.sqrt(e)); // q·W/√e [batch, e]
    const scores = tf.matMul(tf.reshape(query, [-1, 1, e]), k, false, true); // [batch, 1, length]
    // Beside a value padding counts exactly nothing; where there is no value, the product takes away what it counts.
    const hidden = tf.mul(tf.sub(isThere, 1), 1e9); // 0 or −10⁹
    return tf.mul(tf.softmax(tf.add(scores, hidden)), isThere);
  };
  const weights = attention ? attended(attention.q, attention.deviation) : mean(); // a [batch, 1, length]
  return tf.reshape(tf.matMul(weights, k), [-1, e]); // [batch, e]
}

/** Columns of x, one part for every size that is not 0. */
function partsOf(x: Tensor2D | undefined, sizes: readonly number[]): readonly (Tensor2D | undefined)[] {
  const filled = sizes.filter((size) => size > 0);
  // tfjs cannot differentiate a split into one part.
  const parts = filled.length > 1 ? tf.split<Tensor2D>(x!, filled, 1) : [x];
  let next = 0;
  return sizes.map((size) => (size > 0 ? parts[next++] : undefined));
}

function onlyVectors(): InvalidInputError {
  const expected = "at least one field with ids";
  return new InvalidInputError(`model: expected ${expected}, got VECTOR fields alone`, {
    field: "dataset",
    expected,
    received: "VECTOR fields alone",
    hint: "register the dataset with its scenario or another column as a CATEGORICAL field too",
  });
}
