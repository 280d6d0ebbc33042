/** What the product does, as GraphQL sees it: every verb bound to one installation. */
import { z } from "zod";
import { listEngines } from "../engine/engines.ts";
import type { BackbonePlugin } from "../plugin/contract.ts";
import { cancelRun } from "./cancelRun.ts";
import type { Installation } from "./installation.ts";
import { predict } from "./predict.ts";
import type { PredictInput } from "./predict.ts";
import { pruneModel } from "./pruneModel.ts";
import { registerDataset } from "./registerDataset.ts";
import { registerScenario } from "./registerScenario.ts";
import { registerTask } from "./registerTask.ts";
import { trainModel } from "./trainModel.ts";

export type Services = ReturnType<typeof createServices>;

export function createServices(installation: Installation) {
  const { plugins } = installation;
  return {
    registerScenario: (input: unknown) => registerScenario(installation, input),
    registerTask: (input: unknown) => registerTask(installation, input),
    registerDataset: (input: unknown) => registerDataset(installation, input),
    trainModel: (input: { backbone: object }) => trainModel(installation, input),
    pruneModel: (input: unknown) => pruneModel(installation, input),
    cancelRun: (input: unknown) => cancelRun(installation, input),
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
