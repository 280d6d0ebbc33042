/** From schema.graphql: resolver types over the rows of the store, and types and documents of the client. `npm run generate` writes them. */
import { readFileSync } from "node:fs";
import type { CodegenConfig } from "@graphql-codegen/cli";

/** Types whose resolvers get a row, or what a service made, instead of the finished object. */
const rows = "Backbone Dataset DatasetWarning Field Label PredictedRow Run Scenario ScenarioValue Task TaskPrediction"
  .split(" ")
  .map((type) => [type, `../context.ts#${type}Row`]);

/** A mutation's resolver gives its payload without `userErrors`: they are added where all mutations pass (src/graphql/mutations.ts). */
const payloads = [...readFileSync("schema.graphql", "utf8").matchAll(/^type (\w+) implements Payload\b/gm)].map(
  ([, type]) => [type!, "Omit<{T}, 'userErrors'>"],
);

/** Nothing is counted before `totalCount` is asked for (src/graphql/pagination.ts). */
const connections = [...readFileSync("schema.graphql", "utf8").matchAll(/^type (\w+Connection)\b/gm)].map(
  ([, type]) => [type!, "Omit<{T}, 'totalCount'> & { count(): Promise<number> }"],
);

const lower = (...words: string[]) => Object.fromEntries(words.map((word) => [word, word.toLowerCase()]));

const config: CodegenConfig = {
  schema: "schema.graphql",
  generates: {
    "src/graphql/generated.ts": {
      plugins: ["typescript", "typescript-resolvers"],
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        avoidOptionals: { defaultValue: true },
        contextType: "../context.ts#Context",
        scalars: { DateTime: { input: "Date", output: "Date" }, JSON: { input: "unknown", output: "unknown" } },
        // Inside, these words are written in small letters (src/graphql/enums.ts).
        enumValues: {
          Split: lower("TRAIN", "VALIDATION", "TEST"),
          Phase: lower("SEARCH", "RETRAIN", "TRAIN"),
          EngineName: lower("COMPILED", "CPU", "WASM", "TENSORFLOW"),
          SelectionMetric: lower("AUC", "LOGLOSS"),
          MetricName: {
            ...lower("AUC", "LOGLOSS", "CALIBRATION", "ECE", "GAUC"),
            NORMALISED_ENTROPY: "normalisedEntropy",
            CONDITIONAL_AUC: "conditionalAuc",
          },
          WebhookEvent: {
            RUN_QUEUED: "run.queued",
            RUN_RUNNING: "run.running",
            RUN_PAUSED: "run.paused",
            RUN_SUCCEEDED: "run.succeeded",
            RUN_FAILED: "run.failed",
            RUN_CANCELLED: "run.cancelled",
            DATASET_READY: "dataset.ready",
            DATASET_FAILED: "dataset.failed",
            EXPERIMENT_FINISHED: "experiment.finished",
            MODEL_VERSION_CREATED: "model.version_created",
            MODEL_ALIAS_MOVED: "model.alias_moved",
            MODEL_PROMOTION_REFUSED: "model.promotion_refused",
          },
        },
        mappers: {
          ...Object.fromEntries([...rows, ...payloads, ...connections]),
          CellCount: "../context.ts#DatasetCountRow",
          CellWeight: "../context.ts#CellWeightRow",
          TaskWeight: "../context.ts#TaskWeightRow",
          LossWeightPoint: "../context.ts#LossWeightRow",
          BackboneStatistic: "../context.ts#BackboneStatisticRow",
          CellComparison: "../context.ts#ComparedCellRow",
          Comparison: "../context.ts#ComparisonRow",
          MetricDifference: "../context.ts#MetricDifferenceRow",
          RunCell: "../context.ts#RunCellRow",
          CellChange: "../context.ts#CellChangeRow",
          PlannedCell: "../context.ts#PlannedCellRow",
          PruneBreach: "../context.ts#PruneBreachRow",
          SeesawCell: "../context.ts#SeesawCellRow",
          CellResult: "../context.ts#CellResultRow",
          CheckpointSaved: "../context.ts#CheckpointSavedRow",
          ConfigurationResult: "../context.ts#ConfigurationResultRow",
          AuditEntry: "../context.ts#AuditEntryRow",
          Token: "../context.ts#TokenRow",
          BatchPrediction: "../context.ts#BatchPredictionRow",
          Experiment: "../context.ts#ExperimentRow",
          Export: "../context.ts#ExportRow",
          RunEvent: "../context.ts#RunEventRow",
          FlowStatistic: "../context.ts#FlowStatisticRow",
          CellCalibration: "../context.ts#CellCalibrationRow",
          FieldDrift: "../context.ts#FieldDriftRow",
          OutcomeError: "../context.ts#OutcomeErrorRow",
          FlowEffect: "../context.ts#FlowEffectRow",
          GateAlarm: "../context.ts#GateAlarmRow",
          RunExtension: "../context.ts#RunExtensionRow",
          MetricChange: "../context.ts#MetricChangeRow",
          Matrix: "./matrix.ts#MatrixRow",
          Cell: "./matrix.ts#CellRow",
          Plugin: "../context.ts#BackbonePlugin",
          Trial: "../context.ts#TrialRow",
          Model: "../context.ts#ModelRow",
          ModelVersion: "../context.ts#ModelVersionRow",
          ModelExport: "../context.ts#ModelExportRow",
          ModelAlias: "../context.ts#ModelAliasRow",
          ModelLineage: "../context.ts#RunRow",
          ModelTraffic: "../context.ts#ModelTrafficRow",
          PromotionMeasurement: "../context.ts#MeasuredRow",
          PromotionRule: "../context.ts#PromotionRuleRow",
          TrafficCell: "../context.ts#DifferenceFiguresRow",
          Webhook: "../context.ts#WebhookRow",
          WebhookDelivery: "../context.ts#WebhookDeliveryRow",
          WebhookEvent: "../context.ts#WebhookEventWord",
          Split: "../context.ts#SplitWord",
          Phase: "../context.ts#PhaseWord",
          EngineName: "../context.ts#EngineWord",
          MetricName: "../context.ts#MetricWord",
        },
      },
    },
    // What a client of the API needs, from the operations it sends.
    "src/client/generated.ts": {
      documents: "src/client/operations/*.graphql",
      plugins: ["typescript-operations", "typed-document-node"],
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        immutableTypes: true,
        documentMode: "string",
        scalars: { ID: "string", DateTime: "string", JSON: "unknown" },
      },
    },
  },
};

export default config;
