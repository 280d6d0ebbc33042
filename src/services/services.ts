/** What the product does, as GraphQL sees it: every verb bound to one installation. */
import { z } from "zod";
import { listEngines } from "../engine/engines.ts";
import type { BackbonePlugin } from "../plugin/contract.ts";
import type { Run } from "../store/rows.ts";
import { cancelExperiment } from "./experiment/cancelExperiment.ts";
import { cancelRun } from "./run/cancelRun.ts";
import { compareRuns } from "./comparison/compareRuns.ts";
import type { CompareInput } from "./comparison/compareRuns.ts";
import { createComparer } from "./comparison/comparer.ts";
import { createExperiment } from "./experiment/createExperiment.ts";
import { createFollowRun } from "./run/followRun.ts";
import type { Installation } from "./installation.ts";
import { pauseRun } from "./run/pauseRun.ts";
import { estimateTraining } from "./estimate/estimateTraining.ts";
import { predict } from "./prediction/predict.ts";
import type { PredictInput } from "./prediction/predict.ts";
import { pruneModel } from "./run/pruneModel.ts";
import { registerDataset } from "./dataset/registerDataset.ts";
import { registerScenario } from "./registerScenario.ts";
import { registerTask } from "./registerTask.ts";
import { replayRun } from "./run/replayRun.ts";
import { resumeRun } from "./run/resumeRun.ts";
import { runEvents } from "./run/runEvents.ts";
import { createProber } from "./estimate/runProbe.ts";
import { seesaw } from "./comparison/seesaw.ts";
import { trainBaselines } from "./comparison/trainBaselines.ts";
import { trainModel } from "./run/trainModel.ts";

export type Services = ReturnType<typeof createServices>;

export function createServices(installation: Installation) {
  const { plugins } = installation;
  const prober = createProber();
  const comparer = createComparer();
  return {
    registerScenario: (input: unknown) => registerScenario(installation, input),
    registerTask: (input: unknown) => registerTask(installation, input),
    registerDataset: (input: unknown) => registerDataset(installation, input),
    trainModel: (input: { backbone: object }) => trainModel(installation, input),
    estimateTraining: (input: { backbone: object }) => estimateTraining(installation, prober, input),
    pruneModel: (input: unknown) => pruneModel(installation, input),
    cancelRun: (input: unknown) => cancelRun(installation, input),
    createExperiment: (input: unknown) => createExperiment(installation, input),
    cancelExperiment: (input: unknown) => cancelExperiment(installation, input),
    pauseRun: (input: unknown) => pauseRun(installation, input),
    resumeRun: (input: unknown) => resumeRun(installation, input),
    compareRuns: (input: CompareInput) => compareRuns(installation, comparer, input),
    trainBaselines: (input: unknown) => trainBaselines(installation, input),
    seesaw: (run: string) => seesaw(installation, comparer, run),
    replayRun: (input: unknown) => replayRun(installation, input),
    runEvents: (run: Run, page: Parameters<typeof runEvents>[2]) => runEvents(installation, run, page),
    followRun: createFollowRun(installation.store),
    predict: (input: PredictInput) => predict(installation, input),
    listEngines,
    /** By name. */
    listPlugins: (): BackbonePlugin[] => [...plugins.values()],
    /** Null where it is not installed (any more). */
    plugin: (name: string): BackbonePlugin | null => plugins.get(name) ?? null,
    /** What a plugin's configuration may be, as JSON Schema, draft 2020-12. */
    configSchema: ({ config }: BackbonePlugin): unknown => z.toJSONSchema(config, { io: "input" }),
    /** The configuration that an empty object stands for. */
    defaultConfig: ({ config }: BackbonePlugin): unknown => config.parse({}),
  };
}
