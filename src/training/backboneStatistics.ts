/** What a backbone says of its rows, such as the weights of its experts: means over the rows of each scenario. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";
import type { Engine, InputSpecs, Program, TensorFunction } from "../engine/engine.ts";
import { trace } from "../engine/trace.ts";
import type { NamedArrays } from "../model/checkpoint.ts";
import type { Model } from "../model/model.ts";
import { rowSlots } from "../model/rowSlots.ts";
import { rowInputs } from "../serving/frozenModel.ts";
import type { PredictionRows } from "../serving/scorer.ts";
import type { BackboneStatistic } from "./events.ts";

export interface StatisticsReader {
  /**
   * Of the backbone in evaluation; empty where it says nothing. Left out are scenarios without rows, and what is not
   * finite. `arrays`: "embedding", parameters and buffers by name.
   */
  read(arrays: NamedArrays, rows: PredictionRows): Promise<BackboneStatistic[]>;
  release(): Promise<void>;
}

/** Rows per run of the graph. */
const chunkRows = 4096;

/** `betweenChunks` is called now and then; what it throws ends the reading. */
export function createStatisticsReader(
  engine: Engine,
  model: Model,
  { ids, scenarios }: { readonly ids: number; readonly scenarios: readonly string[] },
  betweenChunks: () => Promise<void>,
): StatisticsReader {
  const slots = rowSlots(model.sizes);
  const read = Object.entries({ ...model.weights, ...model.buffers })
    .filter(([name]) => name.startsWith("backbone/") || name.startsWith("fields/"))
    .map(([name, { shape }]) => ({ name, shape }));
  const specs: InputSpecs = {
    ...rowInputs(model.sizes),
    scenario: { shape: ["batch"], dtype: "int32" },
    embedding: { shape: [ids, model.sizes.embeddingDim] },
    ...Object.fromEntries(read.map(({ name, shape }) => [`p/${name}`, { shape }])),
  };
  const names = read.map(({ name }) => name);
  const says = (): readonly string[] => {
    const found: string[] = [];
    trace((inputs) => {
      const { statistics, representations } = statisticsOf(model, names, inputs);
      found.push(...Object.keys(statistics));
      return { representation: representations[0]! };
    }, specs);
    return found;
  };
  let program: Promise<Program | undefined> | undefined;

  return {
    async read(arrays, rows) {
      program ??= says().length === 0 ? Promise.resolve(undefined) : engine.compile(sumsOf(model, names), specs);
      const compiled = await program;
      if (!compiled) return [];
      const counts = new Float64Array(scenarios.length);
      for (let row = 0; row < rows.rows; row++) counts[rows.scenario[row]!]!++;
      const fixed = Object.fromEntries(names.map((name) => [`p/${name}`, arrays[name]!.values]));
      const sums = new Map<string, Float64Array>();
      for (let start = 0; start < rows.rows; start += chunkRows) {
        if (start > 0) await betweenChunks();
        const end = Math.min(start + chunkRows, rows.rows);
        const outputs = await compiled.run({
          ...fixed,
          embedding: arrays["embedding"]!.values,
          ids: rows.ids.subarray(start * slots.ids, end * slots.ids),
          ...(slots.numbers > 0 ? { numbers: rows.numbers.subarray(start * slots.numbers, end * slots.numbers) } : {}),
          scenario: rows.scenario.subarray(start, end),
        });
        for (const [name, ofChunk] of Object.entries(outputs)) {
          const sum = sums.get(name) ?? new Float64Array(ofChunk.length);
          for (let i = 0; i < sum.length; i++) sum[i]! += ofChunk[i]!;
          sums.set(name, sum);
        }
      }
      return [...sums].flatMap(([name, sum]) => meansOf(name, sum, counts, scenarios));
    },
    async release() {
      await (await program)?.release();
    },
  };
}

/** Sums over the rows of each scenario, by name [S, n]. */
function sumsOf(model: Model, names: readonly string[]): TensorFunction {
  return (inputs) => {
    const { statistics, scenarioOneHot } = statisticsOf(model, names, inputs);
    const entries = Object.entries(statistics);
    return Object.fromEntries(entries.map(([name, x]) => [name, tf.matMul(scenarioOneHot, x, true)]));
  };
}

function statisticsOf(model: Model, names: readonly string[], inputs: Readonly<Record<string, Tensor>>) {
  const { embeddingDim, scenarios } = model.sizes;
  const p = Object.fromEntries(names.map((name) => [name, inputs[`p/${name}`]!]));
  const slots = rowSlots(model.sizes);
  const ids = inputs["ids"] as Tensor2D;
  const gathered: Tensor2D = tf.reshape(tf.gather(inputs["embedding"]!, ids), [-1, slots.ids * embeddingDim]);
  const numbers = inputs["numbers"] as Tensor2D | undefined;
  const features = model.features(p, { gathered, present: slots.present(ids), numbers });
  // Not tf.oneHot, which refuses to have one column.
  const scenarioOneHot = tf.gather(tf.eye(scenarios), inputs["scenario"] as Tensor1D);
  return { ...model.backbone(p, { features, scenarioOneHot }), scenarioOneHot };
}

function meansOf(
  name: string,
  sum: Float64Array,
  counts: Float64Array,
  scenarios: readonly string[],
): BackboneStatistic[] {
  const width = sum.length / scenarios.length;
  return scenarios.flatMap((scenario, k) => {
    if (counts[k] === 0) return [];
    const values = Array.from(sum.subarray(k * width, (k + 1) * width), (x) => x / counts[k]!);
    return values.every(Number.isFinite) ? [{ name, scenario, values }] : [];
  });
}
