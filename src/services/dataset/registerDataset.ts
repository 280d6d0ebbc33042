/** Registers a file as a dataset: everything that can be checked without reading its rows, then the import job. */
import { z } from "zod";
import { checkSpec } from "../../data/checkSpec.ts";
import { checkVocabulary } from "../../data/checkVocabulary.ts";
import { hashSource } from "../../data/contentHash.ts";
import { inspectFile } from "../../data/inspect.ts";
import type { DatasetSpec, LabelSpec } from "../../data/spec.ts";
import { assertNotDeleted } from "../../store/notDeleted.ts";
import type { Dataset } from "../../store/rows.ts";
import { dataFile } from "./dataFile.ts";
import type { Installation } from "../installation.ts";
import { key } from "../key.ts";
import { specOf } from "../stored.ts";
import { readyDataset } from "./readyDataset.ts";
import { parseInput, refusal, shown, withoutNulls } from "../parseInput.ts";

const bucketing = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("LOG_SQUARED") }),
  z.strictObject({ kind: z.literal("QUANTILES"), count: z.number() }),
  z.strictObject({ kind: z.literal("BOUNDARIES"), boundaries: z.array(z.number()) }),
  z.strictObject({ kind: z.literal("VALUE"), scale: z.enum(["STANDARD", "LOG"]).default("STANDARD") }),
]);

const anyField = { column: z.string(), minimumCount: z.number() };

/** The form alone; whether it makes sense is decided by `checkSpec`. */
const datasetInput = z.strictObject({
  name: key,
  file: z.string(),
  fields: z.array(
    z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("CATEGORICAL"), ...anyField }),
      z.strictObject({ kind: z.literal("NUMERIC"), ...anyField, bucketing }),
      z.strictObject({
        kind: z.literal("MULTI_VALUED"),
        ...anyField,
        separator: z.string().default("|"),
        maximumLength: z.number().default(20),
      }),
      z.strictObject({
        kind: z.literal("SEQUENCE"),
        ...anyField,
        separator: z.string().default("|"),
        maximumLength: z.number().default(50),
        pooling: z.enum(["MEAN", "TARGET_ATTENTION"]).default("MEAN"),
        target: z.string().exactOptional(),
      }),
      z.strictObject({
        kind: z.literal("VECTOR"),
        ...anyField,
        separator: z.string().default(";"),
        width: z.number(),
      }),
    ]),
  ),
  scenario: z.strictObject({
    column: z.string(),
    values: z.array(z.strictObject({ value: z.string(), scenario: z.string() })),
  }),
  labels: z.array(z.strictObject({ column: z.string(), task: z.string() })),
  split: z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("COLUMN"),
      column: z.string(),
      train: z.string().default("train"),
      validation: z.string().default("validation"),
      test: z.string().default("test"),
    }),
    z.strictObject({
      kind: z.literal("RANDOM"),
      seed: z.number().default(1),
      validationShare: z.number().default(0.1),
      testShare: z.number().default(0.1),
    }),
    z.strictObject({ kind: z.literal("TIME"), column: z.string(), validationFrom: z.string(), testFrom: z.string() }),
  ]),
  group: z.strictObject({ column: z.string() }).exactOptional(),
  time: z.strictObject({ column: z.string() }).exactOptional(),
  vocabularyOf: z.string().exactOptional(),
});

/**
 * Writes the dataset (IMPORTING) and its job, or gives the existing one of this name with the same bytes and spec, which is
 * restored where it was deleted. Throws InvalidInputError with the path of what is wrong, ConflictError for a scenario or task
 * that is deleted, and for a dataset of the vocabulary that is not READY.
 */
export async function registerDataset(
  { store, filesFolder }: Installation,
  input: unknown,
): Promise<{ dataset: Dataset; created: boolean }> {
  const { name, file, vocabularyOf, ...own } = parseInput(datasetInput, withoutNulls(input), "input");
  const described = { ...own, labels: await withConditions({ store }, own.labels) };
  const known = vocabularyOf === undefined ? {} : await knownVocabulary({ store }, vocabularyOf, described);
  const spec: DatasetSpec = { ...described, ...known };
  const path = await dataFile(filesFolder, file, "input.file");
  const { columns } = await inspectFile(path, "input.file");
  checkSpec(spec, columns, "input");
  await checkRegistered({ store }, spec);
  const contentHash = await hashSource(path, spec);
  // Hashing takes a while: the store looks at them again.
  const scenarioKeys = spec.scenario.values.map(({ scenario }) => scenario);
  const taskKeys = spec.labels.map(({ task }) => task);
  return store.datasets.create({ name, sourceFile: file, spec, contentHash, scenarioKeys, taskKeys });
}

/** The dataset that the ids come from first: of one that has them from another itself, that other. */
async function knownVocabulary({ store }: Pick<Installation, "store">, id: string, spec: DatasetSpec) {
  const known = specOf(await readyDataset({ store }, id, "input.vocabularyOf"));
  checkVocabulary(spec, known, "input");
  return { vocabularyOf: known.vocabularyOf ?? id };
}

/** The labels with what their tasks say of themselves, which the dataset remembers. */
async function withConditions(
  { store }: Pick<Installation, "store">,
  labels: readonly LabelSpec[],
): Promise<readonly LabelSpec[]> {
  const tasks = await store.tasks.byKeys(labels.map(({ task }) => task));
  const over = await store.tasks.byIds(tasks.flatMap(({ onlyWhereId }) => onlyWhereId ?? []));
  return labels.map((label) => {
    const id = tasks.find(({ key }) => key === label.task)?.onlyWhereId;
    const condition = over.find((task) => task.id === id);
    return condition ? { ...label, onlyWhere: condition.key } : label;
  });
}

/** Every scenario and task the spec names is registered, and not deleted. */
async function checkRegistered({ store }: Pick<Installation, "store">, spec: DatasetSpec): Promise<void> {
  const { values } = spec.scenario;
  const scenarios = await store.scenarios.byKeys(values.map(({ scenario }) => scenario));
  const tasks = await store.tasks.byKeys(spec.labels.map(({ task }) => task));
  const hint = (what: string): string => `register it with \`register${what}\` first`;
  values.forEach(({ scenario }, index) => {
    const field = `input.scenario.values[${index}].scenario`;
    const row = scenarios.find((each) => each.key === scenario);
    if (row) return assertNotDeleted(row, "scenario", field);
    throw refusal(field, "the key of a registered scenario", shown(scenario), hint("Scenario"));
  });
  spec.labels.forEach(({ task }, index) => {
    const field = `input.labels[${index}].task`;
    const row = tasks.find((each) => each.key === task);
    if (row) return assertNotDeleted(row, "task", field);
    throw refusal(field, "the key of a registered task", shown(task), hint("Task"));
  });
}
