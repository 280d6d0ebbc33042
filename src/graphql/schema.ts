/** The schema and the resolvers of all domains, for the server. */
import { readFileSync } from "node:fs";
import * as dataset from "./dataset.ts";
import * as enums from "./enums.ts";
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
const { Dataset, Field, ScenarioValue, Label, CellCount } = dataset;
const { Run, Backbone } = run;
const { PredictedRow, TaskPrediction } = prediction;
const { Plugin } = installation;
const { Node } = node;

// prettier-ignore
const types: Resolvers = {
  Node, Dataset, Field, ScenarioValue, Label, CellCount, Run, Backbone, Cell, FlowStatistic, PredictedRow, TaskPrediction, Plugin,
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
    ...prediction.Query,
    ...installation.Query,
  },
  Mutation: { ...scenario.Mutation, ...task.Mutation, ...dataset.Mutation, ...run.Mutation },
};
