/** Resolver types from schema.graphql, over the rows of the store. `npm run generate` writes them. */
import type { CodegenConfig } from "@graphql-codegen/cli";

/** Types whose resolvers get a row, or what a service made, instead of the finished object. */
const rows = "Backbone Dataset Field Label PredictedRow Run Scenario ScenarioValue Task TaskPrediction"
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
        },
        mappers: {
          ...Object.fromEntries(rows),
          CellCount: "../context.ts#DatasetCountRow",
          FlowStatistic: "../context.ts#FlowStatisticRow",
          Matrix: "./matrix.ts#MatrixRow",
          Cell: "./matrix.ts#CellRow",
          Plugin: "../context.ts#BackbonePlugin",
          Split: "../context.ts#SplitWord",
          Phase: "../context.ts#PhaseWord",
          EngineName: "../context.ts#EngineWord",
        },
      },
    },
  },
};

export default config;
