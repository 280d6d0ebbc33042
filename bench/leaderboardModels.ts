/** What the leaderboard trains: two datasets with their settings, two heads, every backbone at one size. */
import { fileURLToPath } from "node:url";
import {
  autoIfs as kuairandAutoIfs,
  datasetSpec as kuairandSpec,
  file as kuairandFile,
  mmoe,
} from "../examples/kuairand.ts";
import { modelSizes } from "../src/model/checkpoint.ts";
import { buildModel, type Model } from "../src/model/model.ts";
import type { HeadSpec } from "../src/model/spec.ts";
import type { BackbonePlugin } from "../src/plugin/contract.ts";
import { completeHyperParameters, type HyperParametersInput } from "../src/services/run/completeHyperParameters.ts";
import { completeHead, headInput } from "../src/services/run/headInput.ts";
import type { HyperParameters } from "../src/training/hyperParameters.ts";
import { configOfSize } from "./equalSize.ts";
import type { Options } from "./options.ts";
import { type Dataset, imported, inTemporaryFolder } from "./searchAndPrune.ts";
import { datasetSpec as synthSpec, writeSynth } from "./synth.ts";

export const dataNames = ["synth", "kuairand"] as const;
export type DataName = (typeof dataNames)[number];

export const headNames = ["towers", "autoifs"] as const;
export type HeadName = (typeof headNames)[number];

/** Of the models on one dataset; of all alike but for the learning rate. */
interface Settings {
  readonly towers: unknown;
  readonly autoifs: unknown;
  readonly hyperParameters: HyperParametersInput;
}

/** At most this many passes over the training rows, before and after a prune each. */
const maxEpochs = 20;

const settings: Readonly<Record<DataName, Settings>> = {
  synth: {
    towers: { kind: "TOWERS", layers: [64] },
    autoifs: { kind: "AUTOIFS", scenarioLayers: [64], rank: 2 },
    hyperParameters: { batchSize: 1024, maxEpochs },
  },
  kuairand: {
    towers: mmoe.head,
    autoifs: kuairandAutoIfs.head,
    hyperParameters: { ...kuairandAutoIfs.hyperParameters, maxEpochs },
  },
};

export function readData(name: DataName, options: Options): Promise<Dataset> {
  return name === "kuairand"
    ? imported(options.text("data", fileURLToPath(kuairandFile)), kuairandSpec)
    : inTemporaryFolder(async (folder) => imported(await writeSynth(options, folder), synthSpec));
}

export interface Contestant {
  readonly plugin: BackbonePlugin;
  readonly config: unknown;
  readonly head: HeadSpec;
  readonly hyperParameters: HyperParameters;
  readonly model: Model;
  /** Without the embedding table. */
  readonly parameters: number;
}

/** A backbone stretched to about `size` parameters of its own, under a head. */
export function contestant(
  { data, plugin, head: name, size }: { data: DataName; plugin: BackbonePlugin; head: HeadName; size: number },
  { shape }: Dataset,
): Contestant {
  const { [name]: given, hyperParameters: numbers } = settings[data];
  const head = completeHead(headInput.parse(given), "RECOMMENDED");
  const { search, ...rest } = numbers;
  const input = head.kind === "AUTOIFS" && search ? { ...rest, search } : rest;
  const hyperParameters = completeHyperParameters("RECOMMENDED", head, input);
  const sizes = modelSizes({ shape, embeddingDim: hyperParameters.embeddingDim });
  const modelOf = (config: unknown): Model =>
    buildModel({ backbone: { name: plugin.name, config }, head }, plugin, sizes);
  const ofBackbone = (config: unknown): number => countOf(modelOf(config), (key) => key.startsWith("backbone/"));
  const config = configOfSize(plugin, { size, sizeOf: ofBackbone, unit: 4 });
  const model = modelOf(config);
  return { plugin, config, head, hyperParameters, model, parameters: countOf(model, () => true) };
}

function countOf({ weights }: Model, isCounted: (name: string) => boolean): number {
  return Object.entries(weights)
    .filter(([name]) => isCounted(name))
    .reduce((sum, [, { shape }]) => sum + shape.reduce((product, d) => product * d, 1), 0);
}
