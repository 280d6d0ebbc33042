/** What the product does, as GraphQL sees it: every verb bound to one installation. */
import { z } from "zod";
import { listEngines } from "../engine/engines.ts";
import type { BackbonePlugin } from "../plugin/contract.ts";
import type { ModelVersion } from "../store/rows.ts";
import type { Gate } from "./access/gate.ts";
import { createToken, revokeToken } from "./access/tokens.ts";
import { cancelBatchPrediction } from "./batch/cancelBatchPrediction.ts";
import { predictBatch } from "./batch/predictBatch.ts";
import { exportModel } from "./modelExport/exportModel.ts";
import { exportMetrics, exportPredictions, exportRuns } from "./export/createExport.ts";
import type { RunsExportInput } from "./export/createExport.ts";
import { removeTags, setNote, setTags } from "./annotation/annotate.ts";
import { cancelExperiment } from "./experiment/cancelExperiment.ts";
import { cancelRun } from "./run/cancelRun.ts";
import { compareRuns } from "./comparison/compareRuns.ts";
import type { CompareInput } from "./comparison/compareRuns.ts";
import { createComparer } from "./comparison/comparer.ts";
import { calibration } from "./drift/calibration.ts";
import { drift } from "./drift/drift.ts";
import type { Days } from "./drift/drift.ts";
import { createDriftMeasurer } from "./drift/driftMeasurer.ts";
import { recordOutcomes } from "./drift/recordOutcomes.ts";
import { createTrainingDistributions } from "./drift/trainingDistribution.ts";
import { createExperiment } from "./experiment/createExperiment.ts";
import { createFollowRun } from "./run/followRun.ts";
import type { Installation } from "./installation.ts";
import { performMutation } from "./mutation/performMutation.ts";
import type { MutationOptions, MutationRequest } from "./mutation/performMutation.ts";
import { checkPromotion } from "./model/checkPromotion.ts";
import { createModelVersion } from "./model/createModelVersion.ts";
import { addPromotionRule, removePromotionRule } from "./model/managePromotionRules.ts";
import { removeModelAlias, setModelAlias } from "./model/moveModelAlias.ts";
import { registerModel } from "./model/registerModel.ts";
import { removeModelTraffic, setModelTraffic } from "./model/setModelTraffic.ts";
import { pauseRun } from "./run/pauseRun.ts";
import { deleteNode, restoreNode } from "./deletion/deleteNode.ts";
import { purge, purgePlan } from "./deletion/purge.ts";
import { estimateTraining } from "./estimate/estimateTraining.ts";
import { createModelInterfaces } from "./prediction/modelInterface.ts";
import { predict } from "./prediction/predict.ts";
import type { PredictInput } from "./prediction/predict.ts";
import { rank } from "./prediction/rank.ts";
import type { RankInput } from "./prediction/rank.ts";
import { productVersion } from "./productVersion.ts";
import { planPrune } from "./run/planPrune.ts";
import { extendModel } from "./run/extendModel.ts";
import { pruneModel } from "./run/pruneModel.ts";
import { createPrunePlanner } from "./run/prunePlanner.ts";
import { registerDataset } from "./dataset/registerDataset.ts";
import { registerScenario } from "./registerScenario.ts";
import { registerTask } from "./registerTask.ts";
import { replayRun } from "./run/replayRun.ts";
import { resumeRun } from "./run/resumeRun.ts";
import { createProber } from "./estimate/runProbe.ts";
import { seesaw } from "./comparison/seesaw.ts";
import { trainBaselines } from "./comparison/trainBaselines.ts";
import { trainModel } from "./run/trainModel.ts";
import {
  createWebhook,
  deleteWebhook,
  redeliverWebhook,
  rotateWebhookSecret,
  testWebhook,
  updateWebhook,
} from "./webhook/manageWebhooks.ts";

export type Services = ReturnType<typeof createServices>;

export function createServices(installation: Installation, gate: Gate, log: MutationOptions["log"]) {
  const { store, plugins } = installation;
  const prober = createProber();
  const comparer = createComparer();
  const prunePlanner = createPrunePlanner(installation.pluginSeconds);
  const measurer = createDriftMeasurer();
  const distributions = createTrainingDistributions(store, measurer);
  /** A token that was made or revoked counts from the next request on. */
  const known = async <T>(work: Promise<T>): Promise<T> => {
    const done = await work;
    await gate.refresh();
    return done;
  };
  /** What the names of models stand for from now on counts from the next request on. */
  const served = <T>(work: Promise<T>): Promise<T> => work.finally(installation.modelResolver.forget);
  return {
    performMutation: <Payload extends object>(request: MutationRequest<Payload>) =>
      performMutation({ store, log }, request),
    createToken: (input: unknown) => known(createToken(installation, input)),
    revokeToken: (input: unknown) => known(revokeToken(installation, input)),
    checkAuditLog: installation.store.audit.check,
    registerScenario: (input: unknown) => registerScenario(installation, input),
    registerTask: (input: unknown) => registerTask(installation, input),
    registerDataset: (input: unknown) => registerDataset(installation, input),
    trainModel: (input: { backbone: object }) => trainModel(installation, input),
    estimateTraining: (input: { backbone: object }) => estimateTraining(installation, prober, input),
    pruneModel: (input: unknown) => pruneModel(installation, input),
    extendModel: (input: unknown) => extendModel(installation, input),
    planPrune: (input: unknown) => planPrune(installation, prunePlanner, input),
    cancelRun: (input: unknown) => cancelRun(installation, input),
    registerModel: (input: unknown) => registerModel(installation, input),
    createModelVersion: (input: unknown) => served(createModelVersion(installation, input)),
    setModelAlias: (input: unknown) => served(setModelAlias(installation, comparer, input)),
    removeModelAlias: (input: unknown) => served(removeModelAlias(installation, input)),
    addPromotionRule: (input: unknown) => addPromotionRule(installation, input),
    removePromotionRule: (input: unknown) => removePromotionRule(installation, input),
    checkPromotion: (input: Parameters<typeof checkPromotion>[2]) => checkPromotion(installation, comparer, input),
    setModelTraffic: (input: unknown) => served(setModelTraffic(installation, input)),
    removeModelTraffic: (input: unknown) => served(removeModelTraffic(installation, input)),
    createWebhook: (input: unknown) => createWebhook(installation, input),
    updateWebhook: (input: unknown) => updateWebhook(installation, input),
    deleteWebhook: (input: unknown) => deleteWebhook(installation, input),
    rotateWebhookSecret: (input: unknown) => rotateWebhookSecret(installation, input),
    testWebhook: (input: unknown) => testWebhook(installation, input),
    redeliverWebhook: (input: unknown) => redeliverWebhook(installation, input),
    setTags: (input: unknown) => setTags(installation, input),
    removeTags: (input: unknown) => removeTags(installation, input),
    setNote: (input: unknown) => setNote(installation, input),
    deleteNode: (input: unknown) => served(deleteNode(installation, input)),
    restoreNode: (input: unknown) => served(restoreNode(installation, input)),
    purgePlan: (ids: unknown) => purgePlan(installation, ids),
    purge: (input: unknown) => served(purge(installation, input)),
    createExperiment: (input: unknown) => createExperiment(installation, input),
    cancelExperiment: (input: unknown) => cancelExperiment(installation, input),
    pauseRun: (input: unknown) => pauseRun(installation, input),
    resumeRun: (input: unknown) => resumeRun(installation, input),
    compareRuns: (input: CompareInput) => compareRuns(installation, comparer, input),
    trainBaselines: (input: unknown) => trainBaselines(installation, input),
    seesaw: (run: string) => seesaw(installation, comparer, run),
    replayRun: (input: unknown) => replayRun(installation, input),
    followRun: createFollowRun(installation.store),
    predict: (input: PredictInput) => predict(installation, input),
    rank: (input: RankInput) => rank(installation, input),
    modelInterfaces: createModelInterfaces(installation),
    recordOutcomes: (input: unknown) => recordOutcomes(installation, input),
    drift: (version: ModelVersion, days: Days) => drift(installation, distributions, version, days),
    calibration: (version: ModelVersion, days: Days) => calibration(installation, measurer, version, days),
    predictBatch: (input: unknown) => predictBatch(installation, input),
    cancelBatchPrediction: (input: unknown) => cancelBatchPrediction(installation, input),
    exportRuns: (input: RunsExportInput) => exportRuns(installation, input),
    exportMetrics: (input: RunsExportInput) => exportMetrics(installation, input),
    exportModel: (input: unknown) => exportModel(installation, input),
    exportPredictions: (input: unknown) => exportPredictions(installation, input),
    listEngines,
    productVersion,
    /** By name. */
    listPlugins: (): BackbonePlugin[] => [...plugins.values()],
    /** The plugins that are not among them, and why. */
    pluginFailures: () =>
      installation.pluginFailures.map(({ from, error }) => ({ source: from, message: error.message })),
    /** Null where it is not installed (any more). */
    plugin: (name: string): BackbonePlugin | null => plugins.get(name) ?? null,
    /** What a plugin's configuration may be, as JSON Schema, draft 2020-12. */
    configSchema: ({ config }: BackbonePlugin): unknown => z.toJSONSchema(config, { io: "input" }),
    /** The configuration that an empty object stands for. */
    defaultConfig: ({ config }: BackbonePlugin): unknown => config.parse({}),
  };
}
