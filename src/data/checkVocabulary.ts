/** Whether a dataset may take the ids of another one: the same fields, and the same scenarios and tasks first. */
import { canonicalJson } from "./canonicalJson.ts";
import { inputFault, shown } from "./faults.ts";
import type { DatasetSpec } from "./spec.ts";

/** Throws InvalidInputError with the path of the first member that differs; `fieldPath` is where the spec stands in the input. */
export function checkVocabulary(spec: DatasetSpec, known: DatasetSpec, fieldPath: string): void {
  const reason = "as in the dataset whose vocabulary it takes";
  if (spec.fields.length !== known.fields.length) {
    throw inputFault(`${fieldPath}.fields`, `${known.fields.length} fields, ${reason}`, String(spec.fields.length));
  }
  spec.fields.forEach((field, index) => {
    const other = known.fields[index]!;
    if (canonicalJson(field) === canonicalJson(other)) return;
    throw inputFault(`${fieldPath}.fields[${index}]`, `${canonicalJson(other)}, ${reason}`, canonicalJson(field));
  });
  if (spec.scenario.column !== known.scenario.column) {
    throw inputFault(
      `${fieldPath}.scenario.column`,
      `${shown(known.scenario.column)}, ${reason}`,
      shown(spec.scenario.column),
    );
  }
  known.scenario.values.forEach((value, index) => {
    const own = spec.scenario.values[index];
    if (own?.scenario === value.scenario && own.value === value.value) return;
    const at = `${fieldPath}.scenario.values[${index}]`;
    throw inputFault(
      at,
      `${shown(value.scenario)} for ${shown(value.value)}, ${reason}`,
      own ? shown(own.scenario) : "none",
    );
  });
  known.labels.forEach(({ task }, index) => {
    const own = spec.labels[index];
    if (own?.task === task) return;
    throw inputFault(`${fieldPath}.labels[${index}].task`, `${shown(task)}, ${reason}`, own ? shown(own.task) : "none");
  });
}
