/** Resolver types from schema.graphql, over the rows of the store. `npm run generate` writes them. */
import type { CodegenConfig } from "@graphql-codegen/cli";

/** Types whose resolvers get a row, or what a service made, instead of the finished object. */
const rows = "Backbone Dataset DatasetWarning Field Label PredictedRow Run Scenario ScenarioValue Task TaskPrediction"
  .split(" ")
  .map((type) => [type, `../context.ts#${type}Row`]);

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
          },
        },
        mappers: {
          ...Object.fromEntries(rows),
          CellCount: "../context.ts#DatasetCountRow",
          CellWeight: "../context.ts#CellWeightRow",
          CellComparison: "../context.ts#ComparedCellRow",
          Comparison: "../context.ts#ComparisonRow",
          MetricDifference: "../context.ts#MetricDifferenceRow",
          RunCell: "../context.ts#RunCellRow",
          SeesawCell: "../context.ts#SeesawCellRow",
          CellResult: "../context.ts#CellResultRow",
          CheckpointSaved: "../context.ts#CheckpointSavedRow",
          ConfigurationResult: "../context.ts#ConfigurationResultRow",
          Experiment: "../context.ts#ExperimentRow",
          RunEvent: "../context.ts#RunEventRow",
          FlowStatistic: "../context.ts#FlowStatisticRow",
          Matrix: "./matrix.ts#MatrixRow",
          Cell: "./matrix.ts#CellRow",
          Plugin: "../context.ts#BackbonePlugin",
          Trial: "../context.ts#TrialRow",
          Split: "../context.ts#SplitWord",
          Phase: "../context.ts#PhaseWord",
          EngineName: "../context.ts#EngineWord",
          MetricName: "../context.ts#MetricWord",
        },
      },
    },
  },
};

export default config;
