/** The entry of the thread that shows a plugin the contract. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import { type Configuration, contract, type Subject } from "../../conformance/contract.ts";
import { useReferenceBackend } from "../../conformance/trial.ts";
import { PluginError } from "../../errors.ts";
import { unwatched } from "../../plugin/guard.ts";
import { importPlugin, type PluginSource, readableImportError } from "../../plugin/registry.ts";
import { sentError } from "../prediction/sentErrors.ts";
import type { ContractOrder, ContractReport } from "./checkContract.ts";

// While a plugin waits for something that never comes, nothing else keeps the thread alive.
parentPort!.on("message", () => undefined);

const { source, shown } = workerData as ContractOrder;
tell({ kind: "BEGUN" });
await showAll().catch((error: unknown) => tell({ kind: "FAILED", error: sentError(error) }));

async function showAll(): Promise<void> {
  const plugin = await importPlugin(source, unwatched);
  await useReferenceBackend();
  const configurations = await configurationsOf(source);
  const rules = configurations.flatMap((configuration) =>
    Object.entries(contract).map(([sentence, rule]) => ({ configuration, sentence, rule })),
  );
  for (const { configuration, sentence, rule } of rules.slice(shown)) {
    tell({ kind: "RULE", configuration: configuration.label ?? "small", rule: sentence });
    tell({ kind: "VERDICT", error: await verdict(rule, { ...configuration, plugin }) });
  }
  tell({ kind: "DONE", plugin: plugin.name });
}

/** What contract.js or contract.ts beside the main module exports as `subjects`; without it the defaults are shown. */
async function configurationsOf({ label, module }: PluginSource): Promise<readonly Configuration[]> {
  const file = ["contract.js", "contract.ts"]
    .map((name) => new URL(name, module))
    .find((url) => existsSync(fileURLToPath(url)));
  if (file === undefined) return [{ config: {}, label: "defaults" }];
  const { subjects } = (await import(file.href).catch((error: unknown) => {
    const reason = readableImportError(file.href, error);
    throw new PluginError(`${label}: contract: ${reason instanceof Error ? reason.message : String(reason)}`);
  })) as { readonly subjects?: unknown };
  if (Array.isArray(subjects) && subjects.length > 0) return subjects as readonly Configuration[];
  throw new PluginError(`${label}: contract: expected an export named subjects, a list of configurations, got none`);
}

async function verdict(rule: (subject: Subject) => void | Promise<void>, subject: Subject): Promise<string | null> {
  try {
    await rule(subject);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function tell(report: ContractReport): void {
  parentPort!.postMessage(report);
}
