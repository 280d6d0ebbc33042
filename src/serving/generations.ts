/**
 * A model to which scenarios or tasks were added answers every cell with the graph it had when the cell came in. The
 * numbers alone would not do: a larger stack changes the shape of the matrix products, and with it how the native
 * library rounds. So an old cell's probabilities are bitwise what they were.
 */
import type { CheckpointDescription, NamedArrays } from "../model/checkpoint.ts";
import { gateFieldsOf } from "../model/gateFields.ts";
import { leadingArrays, resizedRule } from "../model/growth.ts";
import type { Generation } from "../model/spec.ts";
import { leadingConditions } from "../taskConditions.ts";
import type { PredictionRows, Predictions, Scorer } from "./scorer.ts";

/** One graph with the arrays it reads by name. */
export interface GenerationScorer {
  readonly scorer: Scorer;
  readonly specs: Readonly<Record<string, { readonly shape: readonly number[] }>>;
}

/** `create` makes the scorer of a description that has no generations to look after. */
export async function createGenerationsScorer(
  description: CheckpointDescription,
  create: (description: CheckpointDescription) => Promise<GenerationScorer>,
): Promise<Scorer> {
  const { shape } = description;
  const newest = { scenarios: shape.scenarios.length, tasks: shape.tasks.length };
  const generations = [...description.model.generations!, newest];
  const scorers: GenerationScorer[] = [];
  for (const index of generations.keys()) scorers.push(await create(descriptionOf(description, generations, index)));
  /** Arrays of each generation; cut out once, as a loaded model gives the same arrays at every call. */
  const cut = new WeakMap<NamedArrays, NamedArrays[]>();
  const arraysOf = (arrays: NamedArrays): NamedArrays[] => {
    const known = cut.get(arrays) ?? scorers.map(({ specs }, index) => arraysOfGeneration(arrays, index, specs));
    cut.set(arrays, known);
    return known;
  };

  return {
    async predict(arrays, rows, gateRule) {
      const perGeneration = arraysOf(arrays);
      const whole = emptyPredictions(rows.rows, newest.tasks, gateRule !== undefined);
      for (const [index, { scorer }] of scorers.entries()) {
        const generation = generations[index]!;
        const before = generations[index - 1] ?? { scenarios: 0, tasks: 0 };
        const own = rowsAnswered(rows, generation, before);
        if (own.length === 0) continue;
        const rule = gateRule && resizedRule(gateRule, newest, generation);
        const answered = await scorer.predict(perGeneration[index]!, rowsAt(rows, own), rule);
        for (const [i, row] of own.entries()) {
          const first = rows.scenario[row]! < before.scenarios ? before.tasks : 0;
          const from = { predictions: answered, row: i, tasks: generation.tasks };
          copyTasks(from, { predictions: whole, row, tasks: newest.tasks }, first);
        }
      }
      return whole;
    },
    async release() {
      for (const { scorer } of scorers) await scorer.release();
    },
  };
}

/** The model as it was in that generation. */
export function descriptionOf(
  { model, shape, ...rest }: CheckpointDescription,
  generations: readonly Generation[],
  index: number,
): CheckpointDescription {
  const { scenarios, tasks } = generations[index]!;
  const { generations: _, ...spec } = model;
  const { conditions: all, ...ofFields } = shape;
  const conditions = leadingConditions(all, tasks);
  const cut = {
    ...ofFields,
    scenarios: shape.scenarios.slice(0, scenarios),
    tasks: shape.tasks.slice(0, tasks),
    ...(conditions ? { conditions } : {}),
  };
  return { ...rest, shape: cut, model: index === 0 ? spec : { ...spec, generations: generations.slice(0, index) } };
}

/** The name of the embedding table [ids, e] that the cells of a generation read; the first one's is "embedding". */
export function tableOfGeneration(index: number): string {
  return index === 0 ? "embedding" : `embedding/${index}`;
}

/** What a model of that generation alone would hold. */
export function arraysOfGeneration(arrays: NamedArrays, index: number, specs: GenerationScorer["specs"]): NamedArrays {
  const { embedding, gateEmbedding } = arrays;
  return {
    ...leadingArrays(arrays, specs),
    embedding: arrays[tableOfGeneration(index)] ?? embedding!,
    ...(gateEmbedding ? { gateEmbedding, ...gateFieldsOf(arrays) } : {}),
  };
}

/** Rows that have a cell which came in with this generation. */
function rowsAnswered({ rows, scenario }: PredictionRows, generation: Generation, before: Generation): number[] {
  const own: number[] = [];
  for (let row = 0; row < rows; row++) {
    if (scenario[row]! >= generation.scenarios) continue;
    if (scenario[row]! >= before.scenarios || generation.tasks > before.tasks) own.push(row);
  }
  return own;
}

function rowsAt(rows: PredictionRows, own: readonly number[]): PredictionRows {
  if (own.length === rows.rows) return rows;
  const taken = <A extends Int32Array | Float32Array>(from: A, into: (length: number) => A): A => {
    const width = from.length / rows.rows;
    const values = into(own.length * width);
    for (const [i, row] of own.entries()) values.set(from.subarray(row * width, (row + 1) * width), i * width);
    return values;
  };
  return {
    rows: own.length,
    ids: taken(rows.ids, (length) => new Int32Array(length)),
    numbers: taken(rows.numbers, (length) => new Float32Array(length)),
    scenario: taken(rows.scenario, (length) => new Int32Array(length)),
  };
}

const widths = { probabilities: 1, partialLogits: 5, gates: 4, gateLogits: 4 } as const;

function emptyPredictions(rows: number, tasks: number, hasGates: boolean): Predictions {
  const of = (width: number): Float32Array => new Float32Array(rows * tasks * width);
  const probabilities = of(widths.probabilities);
  if (!hasGates) return { probabilities };
  const { partialLogits, gates, gateLogits } = widths;
  return { probabilities, partialLogits: of(partialLogits), gates: of(gates), gateLogits: of(gateLogits) };
}

interface RowOf {
  readonly predictions: Predictions;
  readonly row: number;
  readonly tasks: number;
}

/** The tasks of one row from `first` on to a row of other predictions. */
function copyTasks(from: RowOf, to: RowOf, first: number): void {
  for (const name of Object.keys(widths) as (keyof typeof widths)[]) {
    const [source, target, width] = [from.predictions[name], to.predictions[name], widths[name]];
    if (!source || !target) continue;
    const tasks = source.subarray((from.row * from.tasks + first) * width, (from.row + 1) * from.tasks * width);
    target.set(tasks, (to.row * to.tasks + first) * width);
  }
}
