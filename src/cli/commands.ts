/** Every command, in the order of the help. A new one is added here. */
import type { Command } from "./command.ts";
import { backupCommands } from "./commands/backup.ts";
import { compareCommand } from "./commands/compare.ts";
import { datasetCommands } from "./commands/datasets.ts";
import { driftCommand } from "./commands/drift.ts";
import { exportModelCommand } from "./commands/exportModel.ts";
import { modelCommands } from "./commands/models.ts";
import { pluginCommands } from "./commands/plugins.ts";
import { predictCommand } from "./commands/predict.ts";
import { planCommand, pruneCommand } from "./commands/prune.ts";
import { runCommands } from "./commands/runs.ts";
import { scenarioCommands, taskCommands } from "./commands/scenariosAndTasks.ts";
import { serveCommand } from "./commands/serve.ts";
import { tokenCommands } from "./commands/tokens.ts";
import { trainCommand } from "./commands/train.ts";
import { workerCommand } from "./commands/worker.ts";

export const commands: readonly Command[] = [
  serveCommand,
  workerCommand,
  ...scenarioCommands,
  ...taskCommands,
  ...datasetCommands,
  trainCommand,
  planCommand,
  pruneCommand,
  ...runCommands,
  predictCommand,
  compareCommand,
  driftCommand,
  ...modelCommands,
  exportModelCommand,
  ...pluginCommands,
  ...tokenCommands,
  ...backupCommands,
];
