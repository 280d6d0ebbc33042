/** How large and how fast a model is, as it was searched and as it is served. */
import { createEngine, defaultEngine } from "../engine/engines.ts";
import { graphCost } from "../engine/graphCost.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { foldModel, tablePrefix } from "../model/folding/foldModel.ts";
import type { BackbonePlugin } from "../plugin/contract.ts";
import { createRandom } from "../random.ts";
import { bytesOf, foldedFunction, type FrozenFunction, searchedFunction } from "./frozenModel.ts";

export interface SizeFigures {
  /** Numbers in its arrays, tables included. */
  readonly parameters: number;
  /** Bytes of its embedding tables. */
  readonly tableBytes: number;
  /** Bytes of all its arrays. */
  readonly bytes: number;
  /** Multiplications and additions of its matrix products per row. */
  readonly flopsPerRow: number;
  /** Milliseconds of one row, median and 99th percentile. */
  readonly batch1P50Ms: number;
  readonly batch1P99Ms: number;
  /** In batches of 512. */
  readonly rowsPerSecond: number;
}

export interface ModelSize {
  readonly before: SizeFigures;
  readonly after: SizeFigures;
}

/** Milliseconds that the runs of one batch size of one model may take together. */
const longestMeasurement = 150;

/**
 * Takes up to a second: times are those of a moment, one thread per core, on random rows. Of a model that has grown, the
 * figures are those of its newest generation.
 */
export async function measureSize(checkpoint: Checkpoint, plugin: BackbonePlugin): Promise<ModelSize> {
  const { ids } = checkpoint.shape;
  const before = await figuresOf(searchedFunction(checkpoint, plugin), ids);
  const after = await figuresOf(foldedFunction(foldModel(checkpoint, plugin)), ids);
  return { before, after };
}

/** Parameters, bytes and FLOPs, without a measurement. */
export function staticFigures({
  fn,
  inputs,
  constants,
}: FrozenFunction): Omit<SizeFigures, "batch1P50Ms" | "batch1P99Ms" | "rowsPerSecond"> {
  const { flopsPerRow, constants: read } = graphCost(fn, inputs, { constants });
  const used = Object.fromEntries(read.map((name) => [name, constants[name]!]));
  return {
    parameters: Object.values(used).reduce((sum, { values }) => sum + values.length, 0),
    tableBytes: bytesOf(used, (name) => name.startsWith(tablePrefix)),
    bytes: bytesOf(used),
    flopsPerRow,
  };
}

async function figuresOf(frozen: FrozenFunction, ids: number): Promise<SizeFigures> {
  const engine = await createEngine(defaultEngine);
  const program = await engine.compile(frozen.fn, frozen.inputs, { constants: frozen.constants });
  try {
    const widthOf = (input: string): number => Number(frozen.inputs[input]?.shape[1] ?? 0);
    const random = createRandom(1, "model size");
    const timesOf = async (rows: number, most: number): Promise<number[]> => {
      const batch = {
        ids: new Int32Array(rows * widthOf("ids")).map(() => random.bits() % ids),
        ...("numbers" in frozen.inputs ? { numbers: new Float32Array(rows * widthOf("numbers")).fill(1) } : {}),
        scenario: new Int32Array(rows),
      };
      await program.run(batch);
      const times: number[] = [];
      const end = performance.now() + longestMeasurement;
      while (times.length < most && performance.now() < end) {
        const begun = performance.now();
        await program.run(batch);
        times.push(performance.now() - begun);
      }
      return times.sort((a, b) => a - b);
    };
    const single = await timesOf(1, 100);
    const many = await timesOf(512, 5);
    return {
      ...staticFigures(frozen),
      batch1P50Ms: quantile(single, 0.5),
      batch1P99Ms: quantile(single, 0.99),
      rowsPerSecond: Math.round(512_000 / quantile(many, 0.5)),
    };
  } finally {
    await program.release();
  }
}

/** Nearest rank, to a microsecond. */
function quantile(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.ceil(share * sorted.length) - 1]! * 1000) / 1000;
}
