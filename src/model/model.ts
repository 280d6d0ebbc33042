/**
 * A whole model as pure functions: backbone, head and gate network with their parameters under one set of names
 * ("backbone/...", "head/...", "gate/..."). The embedding table is outside: functions take gathered embeddings.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import type { BackbonePlugin, BufferSpecs, DropoutSpecs, ForwardMode, Params, ParamSpecs } from "../plugin/contract.ts";
import { type AutoIfsLayers, autoIfsHead, type PartialLogits } from "./autoIfsHead.ts";
import { cellGates, gateNetwork } from "./gateNetwork.ts";
import type { ModelSizes, ModelSpec } from "./spec.ts";
import { towersHead } from "./towersHead.ts";

export interface ModelInputs {
  /** Concatenated embeddings [batch, fields·e]. */
  readonly features: Tensor2D;
  /** [batch, S] */
  readonly scenarioOneHot: Tensor2D;
}

export interface ForwardResult<T> {
  readonly output: T;
  /** Sum of the backbone's auxiliary losses, a scalar; absent when it has none. */
  readonly auxiliaryLoss?: Tensor;
  /** Next values of buffers by full name; only those written, only in training. */
  readonly buffers: Readonly<Record<string, Tensor>>;
}

/** Multipliers by dropout site [batch, width] in training; absent in evaluation. */
export type DropoutMasks = Readonly<Record<string, Tensor>>;

export interface Model {
  readonly sizes: ModelSizes;
  /** Parameters of the weights group (spec §5), without the embedding table. */
  readonly weights: ParamSpecs;
  /** Parameters of the gates group; empty for towers. */
  readonly gates: ParamSpecs;
  readonly buffers: BufferSpecs;
  readonly dropout: DropoutSpecs;
  /** True where the backbone gives one representation per task. */
  readonly perTask: boolean;
  /** What the backbone alone makes of rows in evaluation: one representation for all tasks, or one per task. */
  readonly representations: (p: Params, inputs: ModelInputs) => readonly Tensor2D[];
  /** TOWERS: logits [batch, T]. */
  readonly towers?: (p: Params, inputs: ModelInputs, masks?: DropoutMasks) => ForwardResult<Tensor2D>;
  /** AUTOIFS: full and partial logits. */
  readonly partials?: (p: Params, inputs: ModelInputs, masks?: DropoutMasks) => ForwardResult<PartialLogits>;
  /** AUTOIFS: a scalar, see `AutoIfsLayers.common`. */
  readonly common?: (p: Params) => Tensor;
  /** AUTOIFS: gate logits w [batch, 4T]. */
  readonly gateLogits?: (p: Params, inputs: ModelInputs, masks?: DropoutMasks) => ForwardResult<Tensor2D>;
}

export function buildModel(spec: ModelSpec, plugin: BackbonePlugin, sizes: ModelSizes): Model {
  const { fields, embeddingDim, scenarios, tasks } = sizes;
  const inputDim = fields * embeddingDim;
  const founders = spec.generations?.[0];
  const backboneSizes = { inputDim, fields, embeddingDim, scenarios, tasks, ...(founders ? { founders } : {}) };
  const backbone = plugin.build(backboneSizes, spec.backbone.config);

  const represent = (
    p: Params,
    { features, scenarioOneHot }: ModelInputs,
    mode: ForwardMode,
  ): { representations: readonly Tensor2D[]; auxiliaryLoss?: Tensor } => {
    const perField = tf.reshape(features, [-1, fields, embeddingDim]); // [batch, fields, e]
    const result = backbone.forward(p, { ...mode, features, fields: perField, scenarioOneHot });
    const representations = "representations" in result ? result.representations : result;
    const listed = representations instanceof tf.Tensor ? [representations] : representations;
    checkRepresentations(plugin.name, listed, backbone.perTask ? tasks : 1, backbone.outputDim);
    const losses = "representations" in result ? Object.values(result.auxiliaryLosses) : [];
    return { representations: listed, auxiliaryLoss: losses.length > 0 ? tf.addN(losses) : undefined };
  };

  const headSizes = { inputDim: backbone.outputDim, scenarios, tasks };
  const common = {
    sizes,
    perTask: backbone.perTask,
    representations: (p: Params, inputs: ModelInputs) =>
      represent(scoped(p, "backbone"), inputs, forwardScope(undefined).mode("backbone")).representations,
  };
  const bottom = { params: backbone.params, buffers: backbone.buffers ?? {}, dropout: backbone.dropout ?? {} };

  if (spec.head.kind === "TOWERS") {
    const head = towersHead(headSizes, spec.head);
    return {
      ...common,
      weights: { ...prefixed("backbone", bottom.params), ...prefixed("head", head.params) },
      gates: {},
      buffers: prefixed("backbone", bottom.buffers),
      dropout: prefixed("backbone", bottom.dropout),
      towers(p, inputs, masks) {
        const scope = forwardScope(masks);
        const { representations, auxiliaryLoss } = represent(scoped(p, "backbone"), inputs, scope.mode("backbone"));
        const output = head.forward(scoped(p, "head"), representations, scope.mode("head"));
        return { output, auxiliaryLoss, buffers: scope.buffers };
      },
    };
  }

  const head: AutoIfsLayers = autoIfsHead(headSizes, spec.head);
  const gate = spec.head.gates === "CELL" ? cellGates(scenarios, tasks) : gateNetwork(inputDim, tasks, spec.head);
  const all = <T>(
    of: (part: { params: ParamSpecs; buffers: BufferSpecs; dropout: DropoutSpecs }) => Readonly<Record<string, T>>,
  ): Record<string, T> => ({
    ...prefixed("backbone", of(bottom)),
    ...prefixed("head", of(head)),
    ...prefixed("gate", of(gate)),
  });
  return {
    ...common,
    weights: { ...prefixed("backbone", bottom.params), ...prefixed("head", head.params) },
    gates: prefixed("gate", gate.params),
    buffers: all((part) => part.buffers),
    dropout: all((part) => part.dropout),
    partials(p, inputs, masks) {
      const scope = forwardScope(masks);
      const { representations, auxiliaryLoss } = represent(scoped(p, "backbone"), inputs, scope.mode("backbone"));
      const output = head.forward(scoped(p, "head"), representations, inputs.scenarioOneHot, scope.mode("head"));
      return { output, auxiliaryLoss, buffers: scope.buffers };
    },
    common: (p) => head.common(scoped(p, "head")),
    gateLogits(p, inputs, masks) {
      const scope = forwardScope(masks);
      const output = gate.forward(scoped(p, "gate"), inputs, scope.mode("gate"));
      return { output, buffers: scope.buffers };
    },
  };
}

/** logit_m = y_full,m − Σ_i g_{m,i}·f_{m,i}: gates [batch, 4T] over flows [batch, 4T] → [batch, T] (spec §1.5). */
export function gatedLogits({ full, flows }: PartialLogits, gates: Tensor2D): Tensor2D {
  const tasks = full.shape[1];
  const removed = tf.sum(tf.reshape(tf.mul(gates, flows), [-1, tasks, 4]), 2); // [batch, T]
  return tf.sub(full, removed);
}

function prefixed<T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [`${prefix}/${name}`, value]));
}

/** A part's view of all parameters: its own names without the prefix; an undeclared name throws. */
function scoped(p: Params, prefix: string): Params {
  return new Proxy(p, {
    get(target, name) {
      const value = target[`${prefix}/${String(name)}`];
      if (!value) throw new Error(`${prefix}: parameter ${String(name)} was not declared`);
      return value;
    },
  });
}

/** One forward pass: dropout masks to read, buffers written, each part under its own prefix. */
function forwardScope(masks: DropoutMasks | undefined): {
  buffers: Record<string, Tensor>;
  mode(prefix: string): ForwardMode;
} {
  const buffers: Record<string, Tensor> = {};
  return {
    buffers,
    mode: (prefix) => ({
      training: masks !== undefined,
      dropout(site, x) {
        if (!masks) return x;
        const mask = masks[`${prefix}/${site}`];
        if (!mask) throw new Error(`${prefix}: dropout site ${site} was not declared`);
        return tf.mul(x, mask);
      },
      updateBuffer(name, value) {
        if (masks) buffers[`${prefix}/${name}`] = value;
      },
    }),
  };
}

function checkRepresentations(
  plugin: string,
  representations: readonly Tensor2D[],
  count: number,
  width: number,
): void {
  if (representations.length !== count)
    throw new Error(`plugin ${plugin}: expected ${count} representation(s), got ${representations.length}`);
  for (const { shape } of representations)
    if (shape.length !== 2 || shape[1] !== width)
      throw new Error(`plugin ${plugin}: expected representations [batch, ${width}], got [${shape}]`);
}
