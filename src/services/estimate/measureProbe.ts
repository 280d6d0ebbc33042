/** What is measured in the process of a probe: reading, training a little, keeping an epoch, and the memory it takes. */
import { readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { readSplit } from "../../data/arrowFiles.ts";
import { writeDurably } from "../../data/durableFile.ts";
import type { DatasetShape } from "../../data/spec.ts";
import { createEngine } from "../../engine/engines.ts";
import type { PluginWatch } from "../../plugin/guard.ts";
import { importPlugin, type PluginSource } from "../../plugin/registry.ts";
import { probeTraining } from "../../training/probe.ts";
import type { Probe } from "../../training/probe.ts";
import type { RunSpec } from "../../training/runSpec.ts";

/** What the process is told first. */
export interface ProbeOrder {
  readonly spec: RunSpec;
  readonly plugin: PluginSource;
  readonly shape: DatasetShape;
  /** Path of the encoded training split. */
  readonly file: string;
  /** On the disk that trainings are saved to. */
  readonly scratchFolder: string;
}

export interface MeasuredProbe extends Probe {
  /** Seconds from the begin of the process until it could read. */
  readonly start: number;
  /** Seconds for the training split. */
  readonly read: number;
  /** Seconds until an epoch is kept: a file of the state's size and what is written into the database, all on the disk. */
  readonly keep: number;
  /** The most this process had in memory at once, in addition to the empty process it was. */
  readonly peakBytes: number;
}

/** `emptyBytes`: what the process had in memory before anything was loaded. `watch` hears when the plugin is at work. */
export async function measureProbe(
  { spec, plugin: source, shape, file, scratchFolder }: ProbeOrder,
  emptyBytes: number,
  watch: PluginWatch,
): Promise<MeasuredProbe> {
  const plugin = await importPlugin(source, watch);
  const engine = await createEngine(spec.engine);
  const start = performance.now();
  const rows = await readSplit(file);
  const read = performance.now() - start;
  const probe = await probeTraining({ spec, plugin, engine, shape, rows });
  const peakBytes = highestBytes() - emptyBytes;
  const keep = await secondsToKeep(probe.stateBytes, scratchFolder);
  return { ...probe, start: start / 1000, read: read / 1000, keep, peakBytes };
}

/** Nine times something small reaches the disk: the folders of the file, then the state, the metrics and the progress. */
async function secondsToKeep(stateBytes: number, scratchFolder: string): Promise<number> {
  await mkdir(scratchFolder, { recursive: true });
  const write = async (bytes: number): Promise<number> => {
    const file = join(scratchFolder, `probe-${process.pid}-${bytes}`);
    const begun = performance.now();
    try {
      await writeDurably(file, [new Uint8Array(bytes)]);
      return (performance.now() - begun) / 1000;
    } finally {
      await rm(file, { force: true });
    }
  };
  const large = await write(stateBytes);
  return large + 9 * (await write(4096));
}

/** On Linux the system's own mark, as the figure of `resourceUsage` may be that of the process this one was begun from. */
function highestBytes(): number {
  const kibibytes =
    process.platform === "linux" ? /VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] : undefined;
  return Number(kibibytes ?? process.resourceUsage().maxRSS) * 1024;
}
