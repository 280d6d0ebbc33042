/**
 * What a backbone is: named parameters and a pure `forward`. Nothing here knows a particular backbone, the head on top
 * of it, or how it is trained.
 */
import type { Tensor2D, Tensor } from "@tensorflow/tfjs-core";
import type { z } from "zod";

/** How a parameter starts. `uniform` is U(-limit, limit), `normal` is N(0, std²). */
export type Initializer =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "uniform"; readonly limit: number }
  | { readonly kind: "normal"; readonly std: number };

export interface ParamSpec {
  readonly shape: readonly number[];
  readonly init: Initializer;
  /** Of the run's learning rate: its own rate is this times that. Default 1. */
  readonly learningRateFactor?: number;
}

/** A running statistic: not trained, written by `updateBuffer` in training, read in evaluation. */
export interface BufferSpec {
  readonly shape: readonly number[];
  readonly value: number;
}

/** A dropout site: masks are drawn outside the model, from the run's seed. `rate` is the share set to zero. */
export interface DropoutSpec {
  readonly width: number;
  readonly rate: number;
}

/** A noise site: standard normal numbers times `std`, drawn outside the model, from the run's seed. */
export interface NoiseSpec {
  readonly width: number;
  readonly std: number;
}

export type ParamSpecs = Readonly<Record<string, ParamSpec>>;
export type BufferSpecs = Readonly<Record<string, BufferSpec>>;
export type DropoutSpecs = Readonly<Record<string, DropoutSpec>>;
export type NoiseSpecs = Readonly<Record<string, NoiseSpec>>;

/** Parameters and buffers by the names under which they were declared. Reading an undeclared name throws. */
export type Params = Readonly<Record<string, Tensor>>;

/** The sizes a backbone is built for. */
export interface BackboneSizes {
  /** Width of the concatenated embeddings, fields × embeddingDim. */
  readonly inputDim: number;
  readonly fields: number;
  readonly embeddingDim: number;
  readonly scenarios: number;
  readonly tasks: number;
  /** Names of the fields' columns [fields], in the order of `BackboneInputs.fields`; for configurations that name fields. */
  readonly columns: readonly string[];
  /**
   * How many of them, the first ones, were trained together; those after them were added to a finished model. What an
   * added one brings must be read by its own rows or output alone, so what is mixed over scenarios or tasks is mixed
   * over these. Absent: all.
   */
  readonly founders?: { readonly scenarios: number; readonly tasks: number };
}

/** What `training` changes, shared by every part of a model. */
export interface ForwardMode {
  readonly training: boolean;
  /** In training multiplies x [batch, width] by the mask of the named site; in evaluation returns x. */
  dropout(site: string, x: Tensor2D): Tensor2D;
  /** In training adds the noise of the named site to x [batch, width]; in evaluation returns x. */
  addNoise(site: string, x: Tensor2D): Tensor2D;
  /** The next value of a buffer; ignored in evaluation. */
  updateBuffer(name: string, value: Tensor): void;
}

export interface BackboneInputs extends ForwardMode {
  /** Concatenated field embeddings [batch, inputDim]. */
  readonly features: Tensor2D;
  /** The same as one row per field [batch, fields, embeddingDim]. */
  readonly fields: Tensor;
  /** Scenario of each row as float one-hot [batch, scenarios]. */
  readonly scenarioOneHot: Tensor2D;
}

/** One representation [batch, outputDim] for all tasks, or one per task. */
export type Representations = Tensor2D | readonly Tensor2D[];

/** The representations, alone or with more. */
export type BackboneOutput =
  | Representations
  | {
      readonly representations: Representations;
      /** Scalars by name; in training their sum is added to the loss. */
      readonly auxiliaryLosses?: Readonly<Record<string, Tensor>>;
      /** Added to the logits of the tasks [batch, tasks]. */
      readonly logitBias?: Tensor2D;
      /** Numbers of each row, such as gate weights [batch, n]; their means per scenario are recorded after every epoch. */
      readonly statistics?: Readonly<Record<string, Tensor2D>>;
    };

export interface Backbone {
  /** Width of each representation. */
  readonly outputDim: number;
  /** True when `forward` gives one representation per task, false when one serves all tasks. */
  readonly perTask: boolean;
  readonly params: ParamSpecs;
  readonly buffers?: BufferSpecs;
  readonly dropout?: DropoutSpecs;
  readonly noise?: NoiseSpecs;
  /** Pure: the same parameters and inputs give the same output; no `tf.Variable`, no value is read back. */
  forward(p: Params, inputs: BackboneInputs): BackboneOutput;
  /** Losses that need the tasks' final logits [batch, tasks]: scalars by name, added to the loss in training. */
  logitLosses?(logits: Tensor2D): Readonly<Record<string, Tensor>>;
}

export interface Paper {
  readonly title: string;
  readonly venue: string;
  readonly url: string;
}

/** A backbone as a plugin. `config` is a zod object whose every member has a default. */
export interface BackbonePlugin<Config extends z.ZodType = z.ZodType> {
  /** Lower-case words joined by hyphens, the same as the folder. */
  readonly name: string;
  readonly paper: Paper;
  /** One sentence for the list of plugins. */
  readonly summary: string;
  readonly config: Config;
  build(sizes: BackboneSizes, config: z.output<Config>): Backbone;
}

/** Gives a plugin its types; the object itself is the plugin. */
export function definePlugin<Config extends z.ZodType>(plugin: BackbonePlugin<Config>): BackbonePlugin<Config> {
  return plugin;
}
