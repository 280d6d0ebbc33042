/**
 * What whoever runs an exported model has to know to turn a row into its inputs, as plain data: it stands in the metadata of an ONNX
 * file under the key `autoifs`, and beside the TensorFlow.js files.
 */
import { fieldIds, fieldLayouts } from "../../data/fieldTransform.ts";
import { mostDeviations } from "../../data/fieldNumbers.ts";
import type { FieldTransform, TransformJson } from "../../data/transform.ts";
import type { DatasetShape } from "../../data/spec.ts";
import { idsPerRow, numbersPerRow } from "../../fieldLayout.ts";

export interface VocabularyOptions {
  readonly transform: TransformJson;
  /** Of the model. */
  readonly shape: Pick<DatasetShape, "scenarios" | "tasks">;
  /** The only scenario it answers for; null: all of the model. */
  readonly scenario: string | null;
  readonly run: string;
  readonly dataset: string;
}

const oneIdEach = [
  "ids[row][i] is the id of the row's value in fields[i], as in the file the dataset was made of. Its key is the text of the value; " +
    'in NUMERIC fields the number of its bucket as text. A missing value has the key "".',
  "A key at place p of fields[i].values has the id fields[i].firstId + p; any other key has the id fields[i].unknownId.",
  "Bucket of x, BOUNDARIES: how many of the boundaries are at most x. LOG_SQUARED: floor(ln(x)^2) for x > 2, otherwise x without its " +
    "fraction, at least -2147483648.",
];

const ofEveryKind = [
  "ids[row] is what fields[0].ids.count ids say of fields[0], then those of fields[1] and so on; numbers[row] is the same with " +
    "fields[i].numbers.count numbers, where there is such an input. Values are as in the file the dataset was made of.",
  'CATEGORICAL and NUMERIC, one id: the key is the text of the value; in NUMERIC fields the number of its bucket as text. A missing value has the key "".',
  ...oneIdEach.slice(1),
  `VALUE, one id and one number: firstId and (y - mean) / std, cut to -${mostDeviations}..${mostDeviations}, where y = x with ` +
    "scale STANDARD and y = sign(x) * ln(1 + |x|) with LOG; of a missing value firstId + 1 and the number 1.",
  "MULTI_VALUED and SEQUENCE, maximumLength ids: one for each text between separators that is not empty, of MULTI_VALUED each once and " +
    "the first ones, of SEQUENCE the last ones, in their order; paddingId in all places after them. The keys of a SEQUENCE with a " +
    "target are those of the field with that column.",
  "VECTOR, width numbers and no id: those of the cell, between separators; zeros for a missing value.",
];

const further = [
  "The field that is scenario.column has the value that its scenario has in scenario.values.",
  "scenario[row] is the place of the row's scenario in scenario.values, where there is such an input.",
  "probabilities[row][m] is the probability of tasks[m]; of a task that counts only where another one is 1 that of both.",
];

/** JSON, version 1 where every field is one id, otherwise version 2. */
export function vocabularyJson({ transform, shape, scenario, run, dataset }: VocabularyOptions): string {
  const { column, values } = transform.scenario;
  const keys = scenario === null ? shape.scenarios : [scenario];
  const scenarios = keys.map((key) => ({ key, value: values.find((one) => one.scenario === key)!.value }));
  const layouts = fieldLayouts(transform.fields);
  const [ids, numbers] = layouts ? [idsPerRow(layouts), numbersPerRow(layouts)] : [transform.fields.length, 0];
  return JSON.stringify({
    version: layouts ? 2 : 1,
    run,
    dataset,
    inputs: {
      ids: `int32 [rows, ${ids}]`,
      ...(numbers > 0 ? { numbers: `float32 [rows, ${numbers}]` } : {}),
      ...(scenario === null ? { scenario: "int32 [rows]" } : {}),
    },
    outputs: { probabilities: `float32 [rows, ${shape.tasks.length}]` },
    encoding: [...(layouts ? ofEveryKind : oneIdEach), ...further],
    fields: withIds(transform.fields),
    scenario: { column, values: scenarios },
    tasks: shape.tasks,
  });
}

function withIds(fields: readonly FieldTransform[]): object[] {
  const layouts = fieldLayouts(fields);
  return fieldIds(fields).map(({ first, unknown, padding }, place) => {
    const { values, ...field } = fields[place]!;
    if (!layouts) return { ...field, firstId: first, unknownId: unknown, values };
    const layout = [layouts[place]!];
    const [ids, numbers] = [{ count: idsPerRow(layout) }, { count: numbersPerRow(layout) }];
    return { ...field, firstId: first, unknownId: unknown, paddingId: padding, ids, numbers, values };
  });
}
