/** Exports of models: files for other programs, written by a worker. */
import { exportRecordOf } from "../context.ts";
import { bytesOf } from "./export.ts";
import type { Resolvers } from "./generated.ts";
import { connection } from "./pagination.ts";
import { required } from "./required.ts";

export const Query: Resolvers["Query"] = {
  modelExport: (_, { id }, { loaders }) => loaders.modelExport.load(id),
  modelExports: (_, { run: runId, ...page }, { loaders }) =>
    connection(page, loaders.lists.modelExports(runId ? { runId } : {})),
};

export const Mutation: Resolvers["Mutation"] = {
  exportModel: async (_, { input }, { services }) => ({ modelExport: await services.exportModel(input) }),
};

export const ModelExport: Resolvers["ModelExport"] = {
  run: ({ runId }, _, { loaders }) => required(loaders.run.load(runId)),
  modelVersion: ({ versionId }, _, { loaders }) => (versionId === null ? null : loaders.modelVersion.load(versionId)),
  scenario: ({ scenario }, _, { loaders }) => (scenario === null ? null : loaders.scenarioByKey.load(scenario)),
  quantised: ({ isQuantised }) => isQuantised,
  bytes: (made, _, context) => bytesOf(made, context),
  url: ({ id, artifactHash }) => artifactHash && `/model-exports/${id}`,
  maxDifference: (made) => exportRecordOf(made)?.maxDifference ?? null,
  checkedRows: (made) => exportRecordOf(made)?.checkedRows ?? null,
  tableBytesBefore: (made) => exportRecordOf(made)?.tableBytes.before ?? null,
  tableBytesAfter: (made) => exportRecordOf(made)?.tableBytes.after ?? null,
  cells: (made) => [...(exportRecordOf(made)?.cells ?? [])],
};
