/** The schema and the resolvers of all domains, for the server. */
import { readFileSync } from "node:fs";
import * as access from "./access.ts";
import * as annotation from "./annotation.ts";
import * as batch from "./batch.ts";
import * as comparison from "./comparison.ts";
import * as dataset from "./dataset.ts";
import * as deletion from "./deletion.ts";
import * as drift from "./drift.ts";
import * as enums from "./enums.ts";
import * as estimate from "./estimate.ts";
import * as experiment from "./experiment.ts";
import * as exported from "./export.ts";
import * as epochRecords from "./epochRecords.ts";
import * as flows from "./flows.ts";
import type { Resolvers } from "./generated.ts";
import * as installation from "./installation.ts";
import * as matrix from "./matrix.ts";
import * as model from "./model.ts";
import * as modelExport from "./modelExport.ts";
import { guarded } from "./mutations.ts";
import * as node from "./node.ts";
import { connections } from "./pagination.ts";
import * as prediction from "./prediction.ts";
import * as prune from "./prune.ts";
import * as promotion from "./promotion.ts";
import * as run from "./run.ts";
import * as scalars from "./scalars.ts";
import * as scenario from "./scenario.ts";
import * as task from "./task.ts";
import * as webhook from "./webhook.ts";

/** The text of schema.graphql, which stands two folders above this one, in the sources as in the build. */
export function typeDefs(): string {
  return readFileSync(new URL("../../schema.graphql", import.meta.url), "utf8");
}

const { Cell } = matrix;
const { FlowStatistic, FlowEffect, GateAlarm } = flows;
const { Task } = task;
const { DatasetWarning, Field, ScenarioValue, Label, CellCount } = dataset;
const Dataset = { ...dataset.Dataset, ...model.Dataset, ...annotation.Dataset };
const { RunEvent, RunExtension, CheckpointSaved, Backbone, CellWeight, TaskWeight } = run;
const { LossWeightPoint, BackboneStatistic } = epochRecords;
const { CellChange, PlannedCell, PruneBreach } = prune;
const Run = {
  ...run.Run,
  ...flows.Run,
  ...epochRecords.Run,
  ...prune.Run,
  ...comparison.Run,
  ...experiment.Run,
  ...model.Run,
  ...annotation.Run,
};
const { RunCell, Comparison, CellComparison, SeesawCell, MetricDifference } = comparison;
const { Experiment, Trial, ConfigurationResult, CellResult } = experiment;
const { PredictedRow, TaskPrediction } = prediction;
const { Plugin } = installation;
const { AuditEntry } = access;
const { BatchPrediction } = batch;
const { Export } = exported;
const { ModelExport } = modelExport;
const { ModelAlias, ModelLineage } = model;
const { PromotionRule, PromotionMeasurement, ModelTraffic, TrafficCell } = promotion;
const ModelVersion = { ...model.ModelVersion, ...drift.ModelVersion };
const { FieldDrift, CellCalibration, OutcomeError } = drift;
const Model = { ...model.Model, ...promotion.Model, ...annotation.Model };
const { Annotated } = annotation;
const { Deletable } = deletion;
const { Webhook, WebhookDelivery } = webhook;
const { Node } = node;

// prettier-ignore
const types: Resolvers = {
  Node, Task, Dataset, DatasetWarning, Field, ScenarioValue, Label, CellCount, Run, RunEvent, RunExtension, CheckpointSaved, Backbone, CellWeight,
  TaskWeight, LossWeightPoint, BackboneStatistic,
  Cell, FlowStatistic, FlowEffect, GateAlarm, PredictedRow, TaskPrediction, Plugin, RunCell, Comparison, CellComparison, SeesawCell, MetricDifference,
  Experiment, Trial, ConfigurationResult, CellResult, AuditEntry, CellChange, PlannedCell, PruneBreach,
  BatchPrediction, Export, ModelExport, Model, ModelVersion, ModelAlias, ModelLineage, PromotionRule, PromotionMeasurement, ModelTraffic, TrafficCell,
  FieldDrift, CellCalibration, OutcomeError, Webhook, WebhookDelivery,
  Annotated, Deletable,
};

export const resolvers: Resolvers = {
  ...scalars,
  ...enums,
  ...types,
  ...connections,
  Query: {
    ...access.Query,
    ...node.Query,
    ...scenario.Query,
    ...task.Query,
    ...dataset.Query,
    ...run.Query,
    ...comparison.Query,
    ...prune.Query,
    ...experiment.Query,
    ...prediction.Query,
    ...batch.Query,
    ...exported.Query,
    ...modelExport.Query,
    ...model.Query,
    ...promotion.Query,
    ...webhook.Query,
    ...deletion.Query,
    ...estimate.Query,
    ...installation.Query,
  },
  Mutation: guarded({
    ...access.Mutation,
    ...scenario.Mutation,
    ...task.Mutation,
    ...dataset.Mutation,
    ...run.Mutation,
    ...comparison.Mutation,
    ...experiment.Mutation,
    ...batch.Mutation,
    ...drift.Mutation,
    ...exported.Mutation,
    ...modelExport.Mutation,
    ...model.Mutation,
    ...promotion.Mutation,
    ...webhook.Mutation,
    ...annotation.Mutation,
    ...deletion.Mutation,
  }),
  Subscription: run.Subscription,
};
