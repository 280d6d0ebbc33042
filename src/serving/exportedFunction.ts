/**
 * A whole model as one function for a file: as it is served, with a model that has grown in one graph, for all scenarios or for
 * one, its tables as they are or with one byte per number.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";
import type { ConstantArray, InputSpecs } from "../engine/engine.ts";
import { type Checkpoint, modelSizes } from "../model/checkpoint.ts";
import { type FoldedModel, foldModel, tablePrefix } from "../model/folding/foldModel.ts";
import { quantisedTable } from "../model/folding/quantisedTables.ts";
import { resizedRule } from "../model/growth.ts";
import { buildModel } from "../model/model.ts";
import type { Generation } from "../model/spec.ts";
import type { BackbonePlugin } from "../plugin/contract.ts";
import { bytesOf, type FrozenFunction, rowInputs } from "./frozenModel.ts";
import { arraysOfGeneration, descriptionOf } from "./generations.ts";

export interface ExportOptions {
  /** Index of the only scenario to answer for: there is no input `scenario` then. Default: all. */
  readonly only?: number | undefined;
  /** Tables of one byte per number and a scale per row. */
  readonly isQuantised?: boolean;
}

/** ids int32 [batch, ids], numbers [batch, numbers] where there are any, scenario int32 [batch] → probabilities [batch, T]. */
export interface ExportedFunction extends FrozenFunction {
  /** Bytes of the embedding tables as they are served, and as they are here. */
  readonly tableBytes: { readonly before: number; readonly after: number };
}

export function exportedFunction(
  checkpoint: Checkpoint,
  plugin: BackbonePlugin,
  { only, isQuantised = false }: ExportOptions = {},
): ExportedFunction {
  const { shape } = checkpoint;
  const parts = partsOf(checkpoint, plugin, only);
  const masks = Object.fromEntries(parts.map(({ name, mask }) => [maskOf(name), mask]));
  const { folded, namesOf } = togetherOnce(parts);
  const constants = isQuantised ? withQuantisedTables(folded) : folded;
  const inputs: InputSpecs = {
    ...rowInputs(modelSizes(checkpoint)),
    ...(only === undefined ? { scenario: { shape: ["batch"], dtype: "int32" } } : {}),
  };
  // Rows of scenarios that came later are answered by an older part too, and not taken.
  const within = (scenario: Tensor1D, scenarios: number): Tensor1D =>
    scenarios === shape.scenarios.length ? scenario : tf.minimum(scenario, tf.scalar(scenarios - 1, "int32"));
  const isWhole = parts.length === 1 && parts[0]!.mask.values.every((x) => x === 1);
  return {
    fn(given) {
      const scenario = given["scenario"] as Tensor1D | undefined;
      const answers = parts.map(({ name, model, scenarios, tasks }) => {
        const own = namesOf(name).flatMap(([short, long]) =>
          ["", "/scale"].map((end) => [`${short}${end}`, given[`${long}${end}`]] as const),
        );
        const p = Object.fromEntries(own.filter((one): one is [string, Tensor] => one[1] !== undefined));
        const rows = {
          ids: given["ids"] as Tensor2D,
          numbers: given["numbers"] as Tensor2D | undefined,
          ...(scenario ? { scenario: within(scenario, scenarios) } : {}),
        };
        const probabilities = tf.sigmoid(model.logits(p, rows)); // [batch, T of the generation]
        if (isWhole) return probabilities;
        const wide = tf.matMul(probabilities as Tensor2D, tf.eye(tasks, shape.tasks.length)); // [batch, T]
        const mask = given[maskOf(name)]!; // [S, T]; of one scenario [1, T]
        return tf.mul(wide, scenario ? tf.gather(mask, scenario) : mask);
      });
      return { probabilities: answers.reduce((sum, answer) => tf.add(sum, answer)) };
    },
    inputs,
    constants: isWhole ? constants : { ...constants, ...masks },
    tableBytes: { before: bytesOf(folded, isTable), after: bytesOf(constants, isTable) },
  };
}

/** A generation of the model, folded on its own; of a model that has not grown the only one. */
interface Part extends Generation {
  /** What its arrays are told apart by; empty for the first. */
  readonly name: string;
  readonly model: FoldedModel;
  /** 1 for the cells that it answers [S, T], or [1, T]. */
  readonly mask: ConstantArray;
}

const isTable = (name: string): boolean => name.startsWith(tablePrefix);
const maskOf = (part: string): string => `cells${part}`;

function partsOf(checkpoint: Checkpoint, plugin: BackbonePlugin, only: number | undefined): Part[] {
  const { arrays, gateRule, ...description } = checkpoint;
  const { shape, model } = description;
  const newest = { scenarios: shape.scenarios.length, tasks: shape.tasks.length };
  const generations = [...(model.generations ?? []), newest];
  return generations.flatMap((generation, index): Part[] => {
    const cells = cellsOf(generation, generations[index - 1], newest, only);
    if (!cells.values.some((x) => x === 1)) return [];
    const name = index === 0 ? "" : `.generation${index}`;
    const folding = only === undefined ? {} : { only };
    if (!model.generations) return [{ name, ...newest, model: foldModel(checkpoint, plugin, folding), mask: cells }];
    const part = descriptionOf(description, generations, index);
    const { weights, gates, buffers } = buildModel(part.model, plugin, modelSizes(part));
    const own: Checkpoint = {
      ...part,
      ...(gateRule ? { gateRule: resizedRule(gateRule, newest, generation) } : {}),
      arrays: arraysOfGeneration(arrays, index, { ...weights, ...gates, ...buffers }),
    };
    return [{ name, ...generation, model: foldModel(own, plugin, folding), mask: cells }];
  });
}

/** A cell is answered by the generation in which it came. */
function cellsOf(
  { scenarios, tasks }: Generation,
  before: Generation | undefined,
  newest: Generation,
  only: number | undefined,
): ConstantArray {
  const rows = only === undefined ? Array.from({ length: newest.scenarios }, (_, k) => k) : [only];
  const isOlder = (k: number, m: number): boolean => before !== undefined && k < before.scenarios && m < before.tasks;
  const values = rows.flatMap((k) =>
    Array.from({ length: newest.tasks }, (_, m) => Number(k < scenarios && m < tasks && !isOlder(k, m))),
  );
  return { shape: [rows.length, newest.tasks], values: Float32Array.from(values) };
}

/** The arrays of all parts, one that several have only once; and of a part its own names with those they are under. */
function togetherOnce(parts: readonly Part[]) {
  const folded: Record<string, ConstantArray> = {};
  const known = new Map<ConstantArray["values"], string>();
  const names = new Map<string, readonly (readonly [short: string, long: string])[]>();
  for (const { name: part, model } of parts) {
    const own = Object.entries(model.constants).map(([short, array]) => {
      const long = known.get(array.values) ?? `${short}${part}`;
      known.set(array.values, long);
      folded[long] = array;
      return [short, long] as const;
    });
    names.set(part, own);
  }
  return { folded, namesOf: (part: string) => names.get(part)! };
}

/** Tables of numbers; what finds rows in them stays as it is. */
function withQuantisedTables(constants: Readonly<Record<string, ConstantArray>>): Record<string, ConstantArray> {
  const entries = Object.entries(constants).map(([name, array]) =>
    isTable(name) && array.values instanceof Float32Array ? quantisedTable(name, array) : { [name]: array },
  );
  return Object.assign({}, ...entries) as Record<string, ConstantArray>;
}
