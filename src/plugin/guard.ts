/**
 * A plugin as the rest of the program sees it: the same object, but what its functions throw or give wrongly arrives as a
 * PluginError with the plugin's name, what it was at, and the file and line. Whoever watches is told when its code runs.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { PluginError } from "../errors.ts";
import { checkBackbone, checkLosses, checkOutput } from "./checkOutput.ts";
import type { Backbone, BackbonePlugin } from "./contract.ts";

/** What the code of a plugin may be at. */
export const pluginSteps = ["import", "build", "forward", "logitLosses"] as const;
export type PluginStep = (typeof pluginSteps)[number];

/** Is told when the code of a plugin begins and ends, so that one that never ends can be noticed. */
export interface PluginWatch {
  enter(step: PluginStep): void;
  leave(): void;
}

export const unwatched: PluginWatch = { enter: () => undefined, leave: () => undefined };

/** Where a plugin lies. Plain data. */
export interface PluginPlace {
  /** For messages: `plugin star`, `plugin package autoifs-plugin-star`. */
  readonly label: string;
  /** URL of its main file. */
  readonly module: string;
  /** Real path of its folder. */
  readonly root: string;
}

export function guarded(plugin: BackbonePlugin, place: PluginPlace, watch: PluginWatch): BackbonePlugin {
  const named = { ...place, label: `plugin ${plugin.name}` };
  const during = <T>(step: PluginStep, work: () => T): T => {
    watch.enter(step);
    const limit = Error.stackTraceLimit;
    // Enough to reach the plugin from inside the libraries it calls.
    Error.stackTraceLimit = 100;
    try {
      return work();
    } catch (error) {
      throw pluginError(named, step, error);
    } finally {
      Error.stackTraceLimit = limit;
      watch.leave();
    }
  };
  return {
    ...plugin,
    build(sizes, config) {
      const backbone = during("build", () => {
        const built = plugin.build(sizes, config);
        return at(named, plugin.build, () => checkBackbone(built));
      });
      const { forward, logitLosses } = backbone;
      const safe: Backbone = {
        ...backbone,
        forward: (p, inputs) =>
          during("forward", () => {
            const output = forward.call(backbone, p, inputs);
            return at(named, forward, () => checkOutput(output, backbone, sizes.tasks));
          }),
      };
      if (!logitLosses) return safe;
      return {
        ...safe,
        logitLosses: (logits) =>
          during("logitLosses", () => {
            const losses = logitLosses.call(backbone, logits);
            return at(named, logitLosses, () => checkLosses(losses));
          }),
      };
    },
  };
}

/** An error of a plugin under its name: `plugin star: build: what it said (star/index.ts:42)`. */
export function pluginError(place: PluginPlace, step: PluginStep, thrown: unknown): PluginError {
  // What it calls may call it again.
  if (thrown instanceof PluginError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const line =
    thrown instanceof Error ? (lineOf(thrown) ?? lineInStack(place, thrown) ?? syntaxLine(place, thrown)) : undefined;
  const where = line ?? `${basename(place.root)}/${fileOf(place)}`;
  return new PluginError(`${place.label}: ${step}: ${withoutRoot(place, message)} (${where})`, {}, thrown);
}

/** Runs a check of what `made` gave; what it throws points to the line of that function. */
function at<T>(place: PluginPlace, made: unknown, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw Object.assign(error as Error, { [pluginLine]: definitionOf(place, made) });
  }
}

const pluginLine = Symbol("line of a plugin");

function lineOf(error: Error): string | undefined {
  return (error as { [pluginLine]?: string })[pluginLine];
}

/** The first place of the plugin in a stack: `star/index.ts:42`. */
function lineInStack({ root }: PluginPlace, { stack = "" }: Error): string | undefined {
  const paths = stack.replaceAll(pathToFileURL(root).href, root);
  const start = paths.indexOf(`${root}/`);
  const [, file, line] =
    start < 0 ? [] : (/^([^\s():?]+)(?:\?[^\s():]*)?:(\d+)/.exec(paths.slice(start + root.length + 1)) ?? []);
  return file === undefined ? undefined : `${basename(root)}/${file}:${line}`;
}

/** Of a main file that is no JavaScript: Node says where only when it is asked to check it. */
function syntaxLine(place: PluginPlace, { name }: Error): string | undefined {
  if (name !== "SyntaxError") return undefined;
  const input = readFileSync(fileURLToPath(place.module));
  const options = { input, encoding: "utf8", timeout: 5_000 } as const;
  const { stderr } = spawnSync(process.execPath, ["--check", "--input-type=module", "-"], options);
  const line = /^\[stdin\]:(\d+)/.exec(stderr ?? "")?.[1];
  return line === undefined ? undefined : `${basename(place.root)}/${fileOf(place)}:${line}`;
}

/** Where a function of the plugin's main file begins, found by its text; undefined where it is not there as it runs. */
function definitionOf(place: PluginPlace, made: unknown): string | undefined {
  const source = readFileSync(fileURLToPath(place.module), "utf8");
  const text = String(made);
  const candidates = [text, text.split("\n", 1)[0]!].filter((one) => source.split(one).length === 2);
  if (candidates[0] === undefined) return undefined;
  const line = source.slice(0, source.indexOf(candidates[0])).split("\n").length;
  return `${basename(place.root)}/${fileOf(place)}:${line}`;
}

function fileOf({ module, root }: PluginPlace): string {
  return module.replace(`${pathToFileURL(root).href}/`, "");
}

/** Paths inside the plugin as they are seen from it; where it lies is nobody's business. */
function withoutRoot({ root }: PluginPlace, message: string): string {
  const name = basename(root);
  return message.replaceAll(pathToFileURL(root).href, name).replaceAll(root, name);
}
