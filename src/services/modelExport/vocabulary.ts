/**
 * What whoever runs an exported model has to know to turn a row into its inputs, as plain data: it stands in the metadata of an ONNX
 * file under the key `autoifs`, and beside the TensorFlow.js files.
 */
import type { FieldTransform, TransformJson } from "../../data/transform.ts";
import type { DatasetShape } from "../../data/spec.ts";

export interface VocabularyOptions {
  readonly transform: TransformJson;
  /** Of the model. */
  readonly shape: Pick<DatasetShape, "scenarios" | "tasks">;
  /** The only scenario it answers for; null: all of the model. */
  readonly scenario: string | null;
  readonly run: string;
  readonly dataset: string;
}

const encoding = [
  "ids[row][i] is the id of the row's value in fields[i], as in the file the dataset was made of. Its key is the text of the value; " +
    'in NUMERIC fields the number of its bucket as text. A missing value has the key "".',
  "A key at place p of fields[i].values has the id fields[i].firstId + p; any other key has the id fields[i].unknownId.",
  "Bucket of x, BOUNDARIES: how many of the boundaries are at most x. LOG_SQUARED: floor(ln(x)^2) for x > 2, otherwise x without its " +
    "fraction, at least -2147483648.",
  "The field that is scenario.column has the value that its scenario has in scenario.values.",
  "scenario[row] is the place of the row's scenario in scenario.values, where there is such an input.",
  "probabilities[row][m] is the probability of tasks[m].",
];

/** JSON, version 1. */
export function vocabularyJson({ transform, shape, scenario, run, dataset }: VocabularyOptions): string {
  const { column, values } = transform.scenario;
  const keys = scenario === null ? shape.scenarios : [scenario];
  const scenarios = keys.map((key) => ({ key, value: values.find((one) => one.scenario === key)!.value }));
  return JSON.stringify({
    version: 1,
    run,
    dataset,
    inputs: {
      ids: `int32 [rows, ${transform.fields.length}]`,
      ...(scenario === null ? { scenario: "int32 [rows]" } : {}),
    },
    outputs: { probabilities: `float32 [rows, ${shape.tasks.length}]` },
    encoding,
    fields: withIds(transform.fields),
    scenario: { column, values: scenarios },
    tasks: shape.tasks,
  });
}

function withIds(fields: readonly FieldTransform[]): object[] {
  let next = 0;
  return fields.map(({ values, ...field }) => {
    const firstId = next;
    next += values.length + 1;
    return { ...field, firstId, unknownId: next - 1, values };
  });
}
