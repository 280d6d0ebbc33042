/** The ledger of a run's information flows: what its gates did epoch by epoch, what is suspicious, what each flow is worth. */
import { gateAlarmsOf } from "../context.ts";
import type { Resolvers } from "./generated.ts";
import { required } from "./required.ts";

export const Run: Resolvers["Run"] = {
  gateHistory: async ({ id }, { after, first }, { loaders }) => {
    const gates = await loaders.runGates.load(id);
    const epochs = [...new Set(gates.map(({ epoch }) => epoch))].filter((epoch) => epoch > after).slice(0, first);
    return epochs.map((epoch) => {
      const flows = gates.filter((gate) => gate.epoch === epoch);
      return { epoch, temperature: flows[0]!.temperature, flows };
    });
  },
  gateAlarms: async (run, _, { loaders }) =>
    gateAlarmsOf(run, ...(await Promise.all([loaders.runFlows.load(run.id), loaders.runGates.load(run.id)]))),
  flowEffects: ({ id }, _, { loaders }) => loaders.runFlowEffects.load(id),
};

export const FlowStatistic: Resolvers["FlowStatistic"] = {
  scenario: ({ scenarioKey }, _, { loaders }) => required(loaders.scenarioByKey.load(scenarioKey)),
  task: ({ taskKey }, _, { loaders }) => required(loaders.taskByKey.load(taskKey)),
};

export const FlowEffect: Resolvers["FlowEffect"] = {
  scenario: ({ scenarioKey }, _, { loaders }) => required(loaders.scenarioByKey.load(scenarioKey)),
  task: ({ taskKey }, _, { loaders }) => required(loaders.taskByKey.load(taskKey)),
};

export const GateAlarm: Resolvers["GateAlarm"] = {
  scenario: ({ scenarioKey }, _, { loaders }) =>
    scenarioKey === null ? null : required(loaders.scenarioByKey.load(scenarioKey)),
  task: ({ taskKey }, _, { loaders }) => (taskKey === null ? null : required(loaders.taskByKey.load(taskKey))),
};
