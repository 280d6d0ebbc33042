/** Tiny models with random arrays, batch norm's and the low-rank maps' included, as if they had been trained. */
import mmoe from "../../plugins/mmoe/index.ts";
import ple from "../../plugins/ple/index.ts";
import sharedBottom from "../../plugins/shared-bottom/index.ts";
import { type FieldLayout, type FieldPlace, fieldPlaces, numbersPerRow } from "../../src/fieldLayout.ts";
import type { Checkpoint, GateRule, NamedArrays } from "../../src/model/checkpoint.ts";
import { asGateFields } from "../../src/model/gateFields.ts";
import { initialise, initialiseBuffers } from "../../src/model/initialise.ts";
import { buildModel } from "../../src/model/model.ts";
import type { AutoIfsHead, HeadSpec } from "../../src/model/spec.ts";
import type { BackbonePlugin } from "../../src/plugin/contract.ts";
import { createRandom } from "../../src/random.ts";
import type { PredictionRows } from "../../src/serving/predictor.ts";

export const backbones = {
  "shared-bottom": { plugin: sharedBottom as BackbonePlugin, config: { layers: [7], batchNorm: true, dropout: 0 } },
  mmoe: {
    plugin: mmoe as BackbonePlugin,
    config: { experts: 2, layers: [6], gateLayers: [], gateBy: "scenario_task" },
  },
  ple: { plugin: ple as BackbonePlugin, config: { levels: [[6], [5]], specificExperts: 1, sharedExperts: 1 } },
};

export interface MadeModel {
  readonly backbone?: keyof typeof backbones;
  readonly head?: Partial<AutoIfsHead> | HeadSpec;
  readonly scenarios?: number;
  readonly tasks?: number;
  readonly gateRule?: GateRule;
  /** Default: three fields of one id each. */
  readonly layouts?: readonly FieldLayout[];
}

const [embeddingDim, ids] = [4, 40];

/** Default: shared-bottom, head AUTOIFS with one scenario layer, CELL gates, 3 scenarios and 2 tasks. */
export function madeCheckpoint(made: MadeModel = {}): { checkpoint: Checkpoint; plugin: BackbonePlugin } {
  const { backbone = "shared-bottom", head = {}, scenarios = 3, tasks = 2, gateRule, layouts } = made;
  const fields = layouts?.length ?? 3;
  const { plugin, config } = backbones[backbone];
  const autoIfs: AutoIfsHead = {
    kind: "AUTOIFS",
    scenarioLayers: [5],
    taskLayers: [],
    rank: 2,
    gates: "CELL",
    gateLayers: [6],
    batchNorm: false,
    dropout: 0,
  };
  const spec = {
    backbone: { name: backbone, config },
    head: head.kind === "TOWERS" ? head : ({ ...autoIfs, ...head } as AutoIfsHead),
  };
  const ofFields = { fields, ...(layouts ? { layouts } : {}) };
  const model = buildModel(spec, plugin, { ...ofFields, embeddingDim, scenarios, tasks });
  const random = createRandom(5, "made checkpoint");
  const gateFields = gateRule?.kind === "HARD" ? asGateFields(model.weights) : {};
  const params = { ...model.weights, ...gateFields, ...model.gates };
  const made_ = { ...initialise(params, 1), ...initialiseBuffers(model.buffers) };
  const table = (): NamedArrays[string] => ({
    shape: [ids, embeddingDim],
    values: new Float32Array(ids * embeddingDim).map(() => random.normal()),
  });
  for (const [name, { values }] of Object.entries(made_))
    values.forEach((_, i) => (values[i] = name.endsWith("variance") ? 0.5 + random.uniform() : 0.5 * random.normal()));
  const isFixed = gateRule?.kind === "FIXED";
  const kept = Object.fromEntries(Object.entries(made_).filter(([name]) => !isFixed || !name.startsWith("gate/")));
  return {
    plugin,
    checkpoint: {
      model: spec,
      embeddingDim,
      shape: {
        ...ofFields,
        ids,
        unknownIds: [],
        scenarios: Array.from({ length: scenarios }, (_, k) => `scenario ${k}`),
        tasks: Array.from({ length: tasks }, (_, m) => `task ${m}`),
      },
      ...(gateRule ? { gateRule } : {}),
      arrays: { embedding: table(), ...kept, ...(gateRule?.kind === "HARD" ? { gateEmbedding: table() } : {}) },
    },
  };
}

/** Random rows, of which some have no values in fields of several; `only` puts all into one scenario. */
export function madeRows({ shape }: Checkpoint, rows: number, only?: number): PredictionRows {
  const random = createRandom(9, "made rows");
  const id = (): number => random.bits() % shape.ids;
  const places = fieldPlaces(shape.layouts ?? Array.from({ length: shape.fields }, () => ({ kind: "ID" })));
  const idsOf = ({ layout, ids: count }: FieldPlace): number[] => {
    const known = layout.kind === "POOLED" ? random.bits() % (layout.length + 1) : count;
    return Array.from({ length: count }, (_, i) => (i < known || layout.kind !== "POOLED" ? id() : layout.padding));
  };
  const all = Array.from({ length: rows }, () => places.flatMap(idsOf));
  const numbers = createRandom(9, "made numbers");
  return {
    rows,
    ids: Int32Array.from(all.flat()),
    numbers: new Float32Array(rows * numbersPerRow(shape.layouts ?? [])).map(() => numbers.normal()),
    scenario: new Int32Array(rows).map(() => only ?? random.bits() % shape.scenarios.length),
  };
}

/** FIXED gates of which about `share` remove. */
export function fixedGates(scenarios: number, tasks: number, share: number): GateRule {
  const random = createRandom(3, "fixed gates");
  const removed = Array.from({ length: scenarios * tasks * 4 }, () => Number(random.uniform() < share));
  return { kind: "FIXED", removed };
}
