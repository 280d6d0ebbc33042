/** The schema and the resolvers of all domains, for the server. */
import { readFileSync } from "node:fs";
import * as comparison from "./comparison.ts";
import * as dataset from "./dataset.ts";
import * as enums from "./enums.ts";
import * as estimate from "./estimate.ts";
import * as experiment from "./experiment.ts";
import type { Resolvers } from "./generated.ts";
import * as installation from "./installation.ts";
import * as matrix from "./matrix.ts";
import * as node from "./node.ts";
import * as prediction from "./prediction.ts";
import * as run from "./run.ts";
import * as scalars from "./scalars.ts";
import * as scenario from "./scenario.ts";
import * as task from "./task.ts";

/** The text of schema.graphql, which stands two folders above this one, in the sources as in the build. */
export function typeDefs(): string {
  return readFileSync(new URL("../../schema.graphql", import.meta.url), "utf8");
}

const { Cell, FlowStatistic } = matrix;
const { Dataset, DatasetWarning, Field, ScenarioValue, Label, CellCount } = dataset;
const { RunEvent, CheckpointSaved, Backbone, CellWeight } = run;
const Run = { ...run.Run, ...comparison.Run, ...experiment.Run };
const { RunCell, Comparison, CellComparison, SeesawCell, MetricDifference } = comparison;
const { Experiment, Trial, ConfigurationResult, CellResult } = experiment;
const { PredictedRow, TaskPrediction } = prediction;
const { Plugin } = installation;
const { Node } = node;

// prettier-ignore
const types: Resolvers = {
  Node, Dataset, DatasetWarning, Field, ScenarioValue, Label, CellCount, Run, RunEvent, CheckpointSaved, Backbone, CellWeight,
  Cell, FlowStatistic, PredictedRow, TaskPrediction, Plugin, RunCell, Comparison, CellComparison, SeesawCell, MetricDifference,
  Experiment, Trial, ConfigurationResult, CellResult,
};

export const resolvers: Resolvers = {
  ...scalars,
  ...enums,
  ...types,
  Query: {
    ...node.Query,
    ...scenario.Query,
    ...task.Query,
    ...dataset.Query,
    ...run.Query,
    ...comparison.Query,
    ...experiment.Query,
    ...prediction.Query,
    ...estimate.Query,
    ...installation.Query,
  },
  Mutation: {
    ...scenario.Mutation,
    ...task.Mutation,
    ...dataset.Mutation,
    ...run.Mutation,
    ...comparison.Mutation,
    ...experiment.Mutation,
  },
  Subscription: run.Subscription,
};
