/** What computes on this machine: results may differ in the last digits where any of it differs. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { version_core as tensorflow } from "@tensorflow/tfjs-core";

/** By name: Node, TensorFlow.js, ONNX Runtime, the processor. */
export function engineVersions(): Readonly<Record<string, string>> {
  return {
    node: process.versions.node,
    "@tensorflow/tfjs-core": tensorflow,
    "onnxruntime-node": versionOf("onnxruntime-node"),
    platform: `${process.platform}-${process.arch}`,
    processor: cpus()[0]?.model ?? "unknown",
  };
}

function versionOf(name: string): string {
  const entry = createRequire(import.meta.url).resolve(name);
  const folder = entry.slice(0, entry.lastIndexOf(name) + name.length);
  return (JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as { version: string }).version;
}
