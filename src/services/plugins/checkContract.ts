/**
 * Shows a plugin the contract of backbones, rule by rule, in a thread: a rule that does not come to its end is broken, and the
 * next one is shown in another thread.
 */
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Worker } from "node:worker_threads";
import { InvalidInputError } from "../../errors.ts";
import { packageIn } from "../../plugin/findPackage.ts";
import { pluginFolder, type PluginSource } from "../../plugin/registry.ts";
import { beginThread } from "../beginThread.ts";
import type { SentError } from "../prediction/poolMessages.ts";
import { receivedError } from "../prediction/sentErrors.ts";

/** What the thread is begun with. */
export interface ContractOrder {
  readonly source: PluginSource;
  /** Rules that are passed over, having been shown. */
  readonly shown: number;
}

export type ContractReport =
  /** From now on it is the plugin that takes time. */
  | { readonly kind: "BEGUN" }
  /** A rule begins: which configuration of the plugin, and what the rule says. */
  | { readonly kind: "RULE"; readonly configuration: string; readonly rule: string }
  /** It has ended; null: it is kept. */
  | { readonly kind: "VERDICT"; readonly error: string | null }
  /** There are no more. */
  | { readonly kind: "DONE"; readonly plugin: string }
  /** Nothing could be shown at all. */
  | { readonly kind: "FAILED"; readonly error: SentError };

export interface RuleVerdict {
  readonly configuration: string;
  readonly rule: string;
  /** Why it is broken; null: it is kept. */
  readonly error: string | null;
}

export interface ContractOptions {
  /** What the import, or one rule, may take. */
  readonly seconds: number;
  /** Told of each rule as it has been shown. */
  readonly told: (verdict: RuleVerdict) => void;
}

/**
 * The name of the plugin, the verdicts, and whether they are about all rules: after two that did not end no more are shown. `folder` has an index file, or a package.json that names the main module; its
 * `contract.js` or `contract.ts`, if there is one, exports `subjects`: the configurations to show it for. Throws
 * InvalidInputError for a folder without a plugin, PluginError where it cannot be imported.
 */
export async function checkContract(
  folder: string,
  { seconds, told }: ContractOptions,
): Promise<{ plugin: string; verdicts: readonly RuleVerdict[]; isComplete: boolean }> {
  const source = sourceIn(resolve(folder));
  const verdicts: RuleVerdict[] = [];
  for (let lost = 0; lost < 2; lost++) {
    const plugin = await show({ source, shown: verdicts.length }, seconds, (verdict) => {
      verdicts.push(verdict);
      told(verdict);
    });
    if (plugin !== undefined) return { plugin, verdicts, isComplete: true };
  }
  return { plugin: source.from, verdicts, isComplete: false };
}

/** A plugin of any name: only where it is installed has that to be the folder's. */
function sourceIn(folder: string): PluginSource {
  const from = basename(folder);
  const label = `plugin ${from}`;
  const { name: _, ...found } = pluginFolder(folder, from) ?? {};
  if ("module" in found) return found;
  if (existsSync(join(folder, "package.json"))) {
    const { root, file } = packageIn(folder, label);
    return { label, from, module: pathToFileURL(file).href, root };
  }
  const expected = "a folder with index.js, index.ts or package.json";
  throw new InvalidInputError(`folder: expected ${expected}, got ${folder}`, { field: "folder", expected });
}

/** The plugin's name; undefined where a rule did not end and there are more. */
function show(
  order: ContractOrder,
  seconds: number,
  told: (verdict: RuleVerdict) => void,
): Promise<string | undefined> {
  const thread: Worker = beginThread(import.meta.url, "contractThread", order);
  let rule: Omit<RuleVerdict, "error"> | undefined;
  let timer: NodeJS.Timeout | undefined;
  return new Promise<string | undefined>((resolve, reject) => {
    const lose = (how: string): void => {
      if (!rule)
        return reject(receivedError({ code: "PLUGIN_FAILED", message: `${order.source.label}: ${how}`, detail: {} }));
      told({ ...rule, error: how });
      resolve(undefined);
    };
    const wait = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => lose(`did not end within ${seconds} s`), seconds * 1000);
    };
    thread.on("message", (report: ContractReport) => {
      wait();
      if (report.kind === "RULE") rule = { configuration: report.configuration, rule: report.rule };
      else if (report.kind === "VERDICT") told({ ...rule!, error: report.error });
      else if (report.kind === "DONE") resolve(report.plugin);
      else if (report.kind === "FAILED") reject(receivedError(report.error));
    });
    thread.once("error", ({ message }: Error) => lose(`ended its thread: ${message}`));
    thread.once("exit", (code) => lose(`ended its thread with exit code ${code}`));
  }).finally(() => {
    clearTimeout(timer);
    thread.removeAllListeners();
    return thread.terminate();
  });
}
