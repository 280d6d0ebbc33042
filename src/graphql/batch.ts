/** Batch predictions: the rows of a file, predicted by a worker. */
import type { Resolvers } from "./generated.ts";
import { bytesOf } from "./export.ts";
import { connection } from "./pagination.ts";
import { required } from "./required.ts";

export const Query: Resolvers["Query"] = {
  batchPrediction: (_, { id }, { loaders }) => loaders.batchPrediction.load(id),
  batchPredictions: (_, { run: runId, ...page }, { loaders }) =>
    connection(page, loaders.lists.batchPredictions(runId ? { runId } : {})),
};

export const Mutation: Resolvers["Mutation"] = {
  predictBatch: async (_, { input }, { services }) => ({ batchPrediction: await services.predictBatch(input) }),
  cancelBatchPrediction: async (_, { input }, { services }) => ({
    batchPrediction: await services.cancelBatchPrediction(input),
  }),
};

export const BatchPrediction: Resolvers["BatchPrediction"] = {
  run: ({ runId }, _, { loaders }) => required(loaders.run.load(runId)),
  file: ({ sourceFile }) => sourceFile,
  unknownValues: ({ unknown }) =>
    Object.entries(unknown)
      .filter(([, rows]) => rows > 0)
      .map(([column, rows]) => ({ column, rows })),
  bytes: (batch, _, context) => bytesOf(batch, context),
  url: ({ id, artifactHash }) => artifactHash && `/batch-predictions/${id}`,
  error: ({ error }) =>
    error && {
      code: error.code,
      message: error.message,
      column: error.detail.line === undefined ? null : (error.detail.field ?? null),
      line: error.detail.line ?? null,
      value: error.detail.line === undefined ? null : (error.detail.received ?? null),
    },
};
