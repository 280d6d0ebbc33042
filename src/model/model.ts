/**
 * A whole model as pure functions: fields, backbone, head and gate network with their parameters under one set of names
 * ("fields/...", "backbone/...", "head/...", "gate/..."). The embedding table is outside: `features` takes gathered
 * embeddings.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { checkOutput } from "../plugin/checkOutput.ts";
import type {
  BackbonePlugin,
  BufferSpecs,
  DropoutSpecs,
  ForwardMode,
  NoiseSpecs,
  Params,
  ParamSpecs,
} from "../plugin/contract.ts";
import { type AutoIfsLayers, autoIfsHead, type PartialLogits } from "./autoIfsHead.ts";
import { fieldEmbeddings, type FieldInputs } from "./fieldEmbeddings.ts";
import type { FieldGroup } from "./gateFields.ts";
import { composedLogits } from "./conditionalTasks.ts";
import { cellGates, gateNetwork } from "./gateNetwork.ts";
import type { ModelSizes, ModelSpec } from "./spec.ts";
import { towersHead } from "./towersHead.ts";

export interface ModelInputs {
  /** One embedding per field, side by side [batch, fields·e]: what `Model.features` gives. */
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

/** What was drawn for a training step [batch, width]: multipliers by dropout site, noise by noise site. Absent in evaluation. */
export type DrawnSites = Readonly<Record<string, Tensor>>;

/** What the backbone alone makes of rows. */
export interface BackboneResult {
  /** One for all tasks, or one per task. */
  readonly representations: readonly Tensor2D[];
  /** Added to the logits [batch, T]; absent: nothing. */
  readonly logitBias?: Tensor2D;
  /** Numbers of each row by name [batch, n]. */
  readonly statistics: Readonly<Record<string, Tensor2D>>;
}

export interface Model {
  readonly sizes: ModelSizes;
  /** Parameters of the weights group (spec §5), without the embedding table. */
  readonly weights: ParamSpecs;
  /** Parameters of the gates group; empty for towers. */
  readonly gates: ParamSpecs;
  readonly buffers: BufferSpecs;
  readonly dropout: DropoutSpecs;
  readonly noise: NoiseSpecs;
  /** True where the backbone gives one representation per task. */
  readonly perTask: boolean;
  /** One embedding per field from what a row holds; where every field is one id, `gathered` itself. */
  readonly features: (p: Params, inputs: FieldInputs, group?: FieldGroup) => Tensor2D;
  /** The backbone in evaluation. */
  readonly backbone: (p: Params, inputs: ModelInputs) => BackboneResult;
  /** Scalars that the backbone makes of the final logits [batch, T], for the loss; often none. */
  readonly logitLosses: (logits: Tensor2D) => readonly Tensor[];
  /** TOWERS: final logits [batch, T], composed where tasks are conditional. */
  readonly towers?: (p: Params, inputs: ModelInputs, masks?: DrawnSites) => ForwardResult<Tensor2D>;
  /** AUTOIFS: full and partial logits. */
  readonly partials?: (p: Params, inputs: ModelInputs, masks?: DrawnSites) => ForwardResult<PartialLogits>;
  /** AUTOIFS: final logits [batch, T] of partial ones under gates [batch, 4T], composed where tasks are conditional. */
  readonly gatedLogits?: (partials: PartialLogits, gates: Tensor2D) => Tensor2D;
  /** AUTOIFS: a scalar, see `AutoIfsLayers.common`. */
  readonly common?: (p: Params) => Tensor;
  /** AUTOIFS: gate logits w [batch, 4T]. */
  readonly gateLogits?: (p: Params, inputs: ModelInputs, masks?: DrawnSites) => ForwardResult<Tensor2D>;
}

export function buildModel(spec: ModelSpec, plugin: BackbonePlugin, sizes: ModelSizes): Model {
  const {
    fields,
    embeddingDim,
    scenarios,
    tasks,
    columns = Array.from({ length: fields }, (_, f) => `field${f}`),
  } = sizes;
  const inputDim = fields * embeddingDim;
  const fieldLayer = fieldEmbeddings(sizes);
  const founders = spec.generations?.[0];
  const backboneSizes = {
    inputDim,
    fields,
    columns,
    embeddingDim,
    scenarios,
    tasks,
    ...(founders ? { founders } : {}),
  };
  const backbone = plugin.build(backboneSizes, spec.backbone.config);

  const represent = (
    p: Params,
    { features, scenarioOneHot }: ModelInputs,
    mode: ForwardMode,
  ): BackboneResult & { auxiliaryLoss?: Tensor } => {
    const perField = tf.reshape(features, [-1, fields, embeddingDim]); // [batch, fields, e]
    const output = backbone.forward(p, { ...mode, features, fields: perField, scenarioOneHot });
    const result = checkOutput(output, backbone, tasks);
    const given = "representations" in result ? result : { representations: result };
    const { representations, auxiliaryLosses = {}, statistics = {}, logitBias } = given;
    const listed = representations instanceof tf.Tensor ? [representations] : representations;
    const losses = Object.values(auxiliaryLosses);
    return {
      representations: listed,
      statistics,
      ...(logitBias ? { logitBias } : {}),
      ...(losses.length > 0 ? { auxiliaryLoss: tf.addN(losses) } : {}),
    };
  };

  const headSizes = { inputDim: backbone.outputDim, scenarios, tasks };
  const common = {
    sizes,
    perTask: backbone.perTask,
    noise: prefixed("backbone", backbone.noise ?? {}),
    features: (p: Params, inputs: FieldInputs, group: FieldGroup = "fields") =>
      fieldLayer.features(scoped(p, group), inputs),
    backbone: (p: Params, inputs: ModelInputs) =>
      represent(scoped(p, "backbone"), inputs, forwardScope(undefined).mode("backbone")),
    logitLosses: (logits: Tensor2D) => Object.values(backbone.logitLosses?.(logits) ?? {}),
  };
  const ofFields = prefixed("fields", fieldLayer.params);
  const bottom = { params: backbone.params, buffers: backbone.buffers ?? {}, dropout: backbone.dropout ?? {} };

  if (spec.head.kind === "TOWERS") {
    const head = towersHead(headSizes, spec.head);
    return {
      ...common,
      weights: { ...ofFields, ...prefixed("backbone", bottom.params), ...prefixed("head", head.params) },
      gates: {},
      buffers: prefixed("backbone", bottom.buffers),
      dropout: prefixed("backbone", bottom.dropout),
      towers(p, inputs, masks) {
        const scope = forwardScope(masks);
        const { representations, logitBias, ...rest } = represent(
          scoped(p, "backbone"),
          inputs,
          scope.mode("backbone"),
        );
        const logits = head.forward(scoped(p, "head"), representations, scope.mode("head"));
        const output = composedLogits(biased(logits, logitBias), sizes.conditions);
        return { ...rest, output, buffers: scope.buffers };
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
    weights: { ...ofFields, ...prefixed("backbone", bottom.params), ...prefixed("head", head.params) },
    gates: prefixed("gate", gate.params),
    buffers: all((part) => part.buffers),
    dropout: all((part) => part.dropout),
    partials(p, inputs, masks) {
      const scope = forwardScope(masks);
      const { representations, logitBias, ...rest } = represent(scoped(p, "backbone"), inputs, scope.mode("backbone"));
      const parts = head.forward(scoped(p, "head"), representations, inputs.scenarioOneHot, scope.mode("head"));
      return { ...rest, output: { ...parts, full: biased(parts.full, logitBias) }, buffers: scope.buffers };
    },
    gatedLogits: (partials, gates) => composedLogits(gatedLogits(partials, gates), sizes.conditions),
    common: (p) => head.common(scoped(p, "head")),
    gateLogits(p, inputs, masks) {
      const scope = forwardScope(masks);
      const output = gate.forward(scoped(p, "gate"), inputs, scope.mode("gate"));
      return { output, buffers: scope.buffers };
    },
  };
}

/** Own logit_m = y_full,m − Σ_i g_{m,i}·f_{m,i}: gates [batch, 4T] over flows [batch, 4T] → [batch, T] (spec §1.5). */
function gatedLogits({ full, flows }: PartialLogits, gates: Tensor2D): Tensor2D {
  const tasks = full.shape[1];
  const removed = tf.sum(tf.reshape(tf.mul(gates, flows), [-1, tasks, 4]), 2); // [batch, T]
  return tf.sub(full, removed);
}

function biased(logits: Tensor2D, bias: Tensor2D | undefined): Tensor2D {
  return bias ? tf.add(logits, bias) : logits;
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

/** One forward pass: what was drawn to read, buffers written, each part under its own prefix. */
function forwardScope(masks: DrawnSites | undefined): {
  buffers: Record<string, Tensor>;
  mode(prefix: string): ForwardMode;
} {
  const buffers: Record<string, Tensor> = {};
  return {
    buffers,
    mode(prefix) {
      const drawn = (site: string): Tensor => {
        const values = masks?.[`${prefix}/${site}`];
        if (!values) throw new Error(`${prefix}: the site ${site} was not declared`);
        return values;
      };
      return {
        training: masks !== undefined,
        dropout: (site, x) => (masks ? tf.mul(x, drawn(site)) : x),
        addNoise: (site, x) => (masks ? tf.add(x, drawn(site)) : x),
        updateBuffer(name, value) {
          if (masks) buffers[`${prefix}/${name}`] = value;
        },
      };
    },
  };
}
