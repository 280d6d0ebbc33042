/**
 * The engines by name: which can run here, and making one. Their libraries take most of a second to load, so that happens
 * where one is made: a process that never computes starts without.
 */
import { createRequire } from "node:module";
import { UnavailableError } from "../errors.ts";
import type { Engine } from "./engine.ts";

export const engineNames = ["compiled", "cpu", "wasm", "tensorflow"] as const;
export type EngineName = (typeof engineNames)[number];

export const defaultEngine: EngineName = "compiled";

export interface EngineInfo {
  readonly name: EngineName;
  readonly available: boolean;
  readonly isDefault: boolean;
  /** Why it is the default, what it is for, or why it cannot be used here. */
  readonly reason: string;
}

const purposes: { readonly [K in EngineName]: string } = {
  compiled:
    "Default: the step is traced into one graph and run natively by onnxruntime, at the speed of its matrix products.",
  cpu: "Plain tfjs, operator by operator: the slow, obvious reference the compiled engine is checked against.",
  wasm: "tfjs on WebAssembly: for machines on which onnxruntime has no native library.",
  tensorflow: "tfjs on the TensorFlow C library.",
};

export function listEngines(): readonly EngineInfo[] {
  return engineNames.map((name) => {
    const missing = missingLibrary(name);
    const reason = missing === undefined ? purposes[name] : `${purposes[name]} Not available here: ${missing}`;
    return { name, available: missing === undefined, isDefault: name === defaultEngine, reason };
  });
}

/** Throws UnavailableError where the engine's library is not installed. */
export async function createEngine(name: EngineName): Promise<Engine> {
  const missing = missingLibrary(name);
  if (missing !== undefined)
    throw new UnavailableError(`engine ${name}: ${missing}`, {
      field: "engine",
      expected: availableNames(),
      received: name,
    });
  return name === "compiled"
    ? (await import("./compiledEngine.ts")).createCompiledEngine()
    : (await import("./eagerEngine.ts")).createEagerEngine(name);
}

function availableNames(): string {
  return listEngines()
    .filter((engine) => engine.available)
    .map((engine) => engine.name)
    .join(", ");
}

/** What is not installed, or undefined when the engine can be used. */
function missingLibrary(name: EngineName): string | undefined {
  if (name !== "tensorflow") return undefined;
  try {
    createRequire(import.meta.url).resolve("@tensorflow/tfjs-node");
    return undefined;
  } catch {
    return "the optional package @tensorflow/tfjs-node is not installed (its native library could not be downloaded).";
  }
}
