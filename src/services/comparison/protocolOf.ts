/** Under which conditions a run was measured: only runs that share all of them can be ranked. */
import { createHash } from "node:crypto";
import { canonicalJson } from "../../data/canonicalJson.ts";
import { metricDefinitions } from "../../metrics/definitions.ts";
import type { Dataset, Run } from "../../store/rows.ts";
import { cellOf, manifestOf, specOf } from "../stored.ts";

export type ProtocolPartName = "DATA" | "SPLIT" | "LABELS" | "SCENARIOS" | "TRANSFORM" | "GROUP" | "CELLS" | "METRICS";

export interface ProtocolPart {
  readonly name: ProtocolPartName;
  /** A sha256 in hexadecimal, or a plain word where that says more. */
  readonly value: string;
}

export interface Protocol {
  /** Sha256 of the parts, in hexadecimal. */
  readonly fingerprint: string;
  readonly parts: ProtocolPart[];
}

/** Of a run on this dataset, which is READY. */
export function protocolOf(run: Run, dataset: Dataset): Protocol {
  const { split, labels, scenario, group } = specOf(dataset);
  const cell = cellOf(run);
  const values: Readonly<Record<ProtocolPartName, string>> = {
    DATA: dataset.contentHash ?? "unknown",
    SPLIT: sha256(split),
    LABELS: sha256(labels),
    SCENARIOS: sha256(scenario),
    TRANSFORM: manifestOf(dataset)?.files["transform.json"].sha256 ?? "unknown",
    GROUP: group?.column ?? "none",
    CELLS: cell ? `${cell.scenario} × ${cell.task}` : "all",
    METRICS: versionsOf(run)["metrics"] ?? String(metricDefinitions),
  };
  const parts = Object.entries(values).map(([name, value]) => ({ name: name as ProtocolPartName, value }));
  return { fingerprint: sha256(parts), parts };
}

/** Versions of what computed a run, by name; none before a worker has begun it. */
export function versionsOf({ versions }: Run): Readonly<Record<string, string>> {
  return (versions ?? {}) as Readonly<Record<string, string>>;
}

function sha256(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}
