/** Whether a dataset spec makes sense by itself and for the columns of a file. Reads no file. */
import { inputFault, shown } from "./faults.ts";
import type { Bucketing, DatasetSpec, FieldSpec, SplitSpec } from "./spec.ts";
import { parseTime, timeExpected } from "./time.ts";

const mostQuantiles = 65_536;
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

type ColumnCheck = (path: string, name: string) => void;

function checkFields(fields: readonly FieldSpec[], path: string, column: ColumnCheck): void {
  if (fields.length === 0) throw inputFault(path, "at least one field", "none");
  fields.forEach((field, index) => {
    const at = `${path}[${index}]`;
    column(at, field.column);
    once(fields, index, (other) => other.column, `${at}.column`, "columns that differ");
    if (!Number.isSafeInteger(field.minimumCount) || field.minimumCount < 1) {
      throw inputFault(`${at}.minimumCount`, "a whole number from 1", shown(field.minimumCount));
    }
    if (field.kind === "NUMERIC") checkBucketing(field.bucketing, `${at}.bucketing`);
  });
}

function checkBucketing(bucketing: Bucketing, path: string): void {
  switch (bucketing.kind) {
    case "LOG_SQUARED":
      return;
    case "QUANTILES": {
      const { count } = bucketing;
      if (Number.isSafeInteger(count) && count >= 2 && count <= mostQuantiles) return;
      throw inputFault(`${path}.count`, `a whole number from 2 to ${mostQuantiles}`, shown(count));
    }
    case "BOUNDARIES": {
      const { boundaries } = bucketing;
      if (boundaries.length === 0) throw inputFault(`${path}.boundaries`, "at least one number", "none");
      boundaries.forEach((boundary, index) => {
        const at = `${path}.boundaries[${index}]`;
        if (!Number.isFinite(boundary)) throw inputFault(at, "a finite number", String(boundary));
        const before = boundaries[index - 1];
        if (before !== undefined && boundary <= before)
          throw inputFault(at, `a number above ${before}`, String(boundary));
      });
      return;
    }
    default:
      return bucketing satisfies never;
  }
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
  });
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

/** Refuses an entry that has the key of an earlier one. */
function once<T>(list: readonly T[], index: number, key: (entry: T) => string, path: string, expected: string): void {
  const own = key(list[index]!);
  if (list.findIndex((entry) => key(entry) === own) < index) throw inputFault(path, expected, `${shown(own)} twice`);
}
