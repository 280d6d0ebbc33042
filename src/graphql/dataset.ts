/** Datasets: what was registered, and what the import found. */
import { fieldsOf, importErrorOf, inSpecOrder, manifestOf, specOf, warningsOf } from "../context.ts";
import type { Resolvers } from "./generated.ts";
import { connection } from "./pagination.ts";
import { required } from "./required.ts";

export const Query: Resolvers["Query"] = {
  dataset: (_, { id }, { loaders }) => loaders.dataset.load(id),
  datasets: (_, { filter, orderBy, ...page }, { loaders }) =>
    connection(page, loaders.lists.datasets({ filter, orderBy })),
};

export const Mutation: Resolvers["Mutation"] = {
  registerDataset: (_, { input }, { services }) => services.registerDataset(input),
};

export const Dataset: Resolvers["Dataset"] = {
  source: ({ sourceFile }) => sourceFile,
  error: (dataset) => importErrorOf(dataset),
  fields: (dataset) => fieldsOf(dataset),
  scenarioColumn: (dataset) => specOf(dataset).scenario.column,
  scenarios: (dataset) => [...specOf(dataset).scenario.values],
  labels: (dataset) => [...specOf(dataset).labels],
  split: (dataset) => specOf(dataset).split,
  groupColumn: (dataset) => specOf(dataset).group?.column ?? null,
  timeColumn: (dataset) => specOf(dataset).time?.column ?? null,
  vocabularyOf: (dataset, _, { loaders }) => {
    const id = specOf(dataset).vocabularyOf;
    return id === undefined ? null : loaders.dataset.load(id);
  },
  warnings: (dataset) => warningsOf(dataset),
  counts: async (dataset, _, { loaders }) =>
    dataset.status === "READY" ? inSpecOrder(await loaders.datasetCounts.load(dataset.id), dataset) : null,
  vocabularySize: (dataset) => manifestOf(dataset)?.shape.ids ?? null,
  runs: ({ id }, page, { loaders }) => connection(page, loaders.lists.datasetRuns(id)),
};

export const DatasetWarning: Resolvers["DatasetWarning"] = {
  task: ({ task }, _, { loaders }) => (task === null ? null : loaders.taskByKey.load(task)),
};

export const Field: Resolvers["Field"] = {
  column: ({ spec }) => spec.column,
  kind: ({ spec }) => spec.kind,
  minimumCount: ({ spec }) => spec.minimumCount,
  bucketing: ({ spec }) => {
    if (spec.kind !== "NUMERIC") return null;
    const { bucketing } = spec;
    return bucketing.kind === "BOUNDARIES" ? { ...bucketing, boundaries: [...bucketing.boundaries] } : bucketing;
  },
  separator: ({ spec }) => ("separator" in spec ? spec.separator : null),
  maximumLength: ({ spec }) => ("maximumLength" in spec ? spec.maximumLength : null),
  pooling: ({ spec }) => (spec.kind === "SEQUENCE" ? spec.pooling : null),
  target: ({ spec }) => (spec.kind === "SEQUENCE" ? (spec.target ?? null) : null),
  width: ({ spec }) => (spec.kind === "VECTOR" ? spec.width : null),
  kept: ({ count }) => count?.kept ?? null,
  unknownShare: ({ count }, { split }) => count?.unknownShare[split] ?? null,
  shortenedShare: ({ count }, { split }) => count?.shortenedShare?.[split] ?? null,
};

export const ScenarioValue: Resolvers["ScenarioValue"] = {
  scenario: ({ scenario }, _, { loaders }) => required(loaders.scenarioByKey.load(scenario)),
};

export const Label: Resolvers["Label"] = {
  task: ({ task }, _, { loaders }) => required(loaders.taskByKey.load(task)),
  onlyWhere: ({ onlyWhere }, _, { loaders }) => (onlyWhere === undefined ? null : loaders.taskByKey.load(onlyWhere)),
};

export const CellCount: Resolvers["CellCount"] = {
  scenario: ({ scenarioKey }, _, { loaders }) => required(loaders.scenarioByKey.load(scenarioKey)),
  task: ({ taskKey }, _, { loaders }) => required(loaders.taskByKey.load(taskKey)),
};
