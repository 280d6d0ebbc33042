/** Whether a dataset spec makes sense by itself and for the columns of a file. Reads no file. */
import { checkFields, once } from "./checkFields.ts";
import type { ColumnCheck } from "./checkFields.ts";
import { inputFault, shown } from "./faults.ts";
import type { DatasetSpec, LabelSpec, SplitSpec } from "./spec.ts";
import { parseTime, timeExpected } from "./time.ts";

const columnsShown = 20;

/**
 * Throws InvalidInputError at the first thing that is wrong, with the path of the member (`input.fields[2].column`).
 * `columns` are those of the file, as `inspectFile` gives them; `fieldPath` is where the spec stands in the input.
 */
export function checkSpec(spec: DatasetSpec, columns: readonly string[], fieldPath = "input"): void {
  const column: ColumnCheck = (path, name) => {
    if (columns.includes(name)) return;
    const list = columns.slice(0, columnsShown).map((known) => shown(known));
    const rest = columns.length > columnsShown ? `, and ${columns.length - columnsShown} more` : "";
    throw inputFault(`${path}.column`, "a column of the file", shown(name), `the file has ${list.join(", ")}${rest}`);
  };
  checkFields(spec.fields, `${fieldPath}.fields`, column);
  checkScenario(spec.scenario, `${fieldPath}.scenario`, column);
  checkLabels(spec, `${fieldPath}.labels`, column);
  checkSplit(spec, `${fieldPath}.split`, column);
  checkNoLabel(spec, spec.group, `${fieldPath}.group`, column);
  checkNoLabel(spec, spec.time, `${fieldPath}.time`, column);
}

function checkScenario(scenario: DatasetSpec["scenario"], path: string, column: ColumnCheck): void {
  column(path, scenario.column);
  const { values } = scenario;
  if (values.length === 0) throw inputFault(`${path}.values`, "at least one value", "none");
  values.forEach((entry, index) => {
    const at = `${path}.values[${index}]`;
    named(entry.value, `${at}.value`);
    named(entry.scenario, `${at}.scenario`);
    once(values, index, (other) => other.value, `${at}.value`, "values that differ");
    once(values, index, (other) => other.scenario, `${at}.scenario`, "scenarios that differ");
  });
}

function checkLabels({ labels, fields, scenario }: DatasetSpec, path: string, column: ColumnCheck): void {
  if (labels.length === 0) throw inputFault(path, "at least one label", "none");
  labels.forEach((label, index) => {
    const at = `${path}[${index}]`;
    column(at, label.column);
    named(label.task, `${at}.task`);
    once(labels, index, (other) => other.column, `${at}.column`, "columns that differ");
    once(labels, index, (other) => other.task, `${at}.task`, "tasks that differ");
    const inUse = [...fields, scenario].some((other) => other.column === label.column);
    if (inUse)
      throw inputFault(`${at}.column`, "a column that is neither a field nor the scenario", shown(label.column));
    checkCondition(labels, label, `${at}.task`);
  });
}

/** The task that this one stands under has a label too, and stands nowhere under this one. */
function checkCondition(labels: DatasetSpec["labels"], label: LabelSpec, path: string): void {
  const above = [label.task];
  for (let next = label.onlyWhere; next !== undefined;) {
    const over = labels.find(({ task }) => task === next);
    if (!over) {
      const expected = `a label of ${next} too, as ${shown(above.at(-1)!)} counts only where that is 1`;
      throw inputFault(path, expected, "none");
    }
    if (above.includes(over.task)) throw inputFault(path, "conditions without a circle", [...above, next].join(", "));
    above.push(over.task);
    next = over.onlyWhere;
  }
}

function checkSplit(spec: DatasetSpec, path: string, column: ColumnCheck): void {
  const split: SplitSpec = spec.split;
  switch (split.kind) {
    case "COLUMN": {
      column(path, split.column);
      const inUse = [...spec.fields, ...spec.labels, spec.scenario].some((other) => other.column === split.column);
      if (inUse) throw inputFault(`${path}.column`, "a column that is not used otherwise", shown(split.column));
      const values = [split.train, split.validation, split.test];
      (["train", "validation", "test"] as const).forEach((name, index) => {
        named(split[name], `${path}.${name}`);
        once(values, index, (value) => value, `${path}.${name}`, "values that differ");
      });
      return;
    }
    case "RANDOM": {
      if (!Number.isSafeInteger(split.seed)) throw inputFault(`${path}.seed`, "a whole number", shown(split.seed));
      for (const name of ["validationShare", "testShare"] as const) {
        if (split[name] > 0 && split[name] < 1) continue;
        throw inputFault(`${path}.${name}`, "a share between 0 and 1", shown(split[name]));
      }
      const sum = split.validationShare + split.testShare;
      if (sum >= 1) throw inputFault(`${path}.testShare`, "shares that together are below 1", shown(sum));
      return;
    }
    case "TIME": {
      checkNoLabel(spec, split, path, column);
      const [validation, test] = (["validationFrom", "testFrom"] as const).map((name) => {
        const time = parseTime(split[name]);
        if (!time) throw inputFault(`${path}.${name}`, timeExpected.EITHER, shown(split[name]));
        return time;
      });
      if (test!.kind !== validation!.kind) {
        throw inputFault(
          `${path}.testFrom`,
          `${timeExpected[validation!.kind]}, as \`validationFrom\` is`,
          shown(split.testFrom),
        );
      }
      if (test!.value > validation!.value) return;
      throw inputFault(`${path}.testFrom`, `a time after ${shown(split.validationFrom)}`, shown(split.testFrom));
    }
    default:
      return split satisfies never;
  }
}

/** A column that may also be a field or the scenario. */
function checkNoLabel(
  { labels }: DatasetSpec,
  part: { readonly column: string } | undefined,
  path: string,
  column: ColumnCheck,
): void {
  if (!part) return;
  column(path, part.column);
  if (!labels.some((label) => label.column === part.column)) return;
  throw inputFault(`${path}.column`, "a column that is no label", shown(part.column));
}

function named(text: string, path: string): void {
  if (text === "") throw inputFault(path, "a text", "an empty one");
}
