/**
 * Looks for ways in which validation and test are not as new to a model as they should be. What is found are warnings:
 * whether it is meant so is for a person to decide, and no import fails because of a check.
 */
import { duplicateRows } from "./duplicateRows.ts";
import { fittedStatistics } from "./fittedStatistics.ts";
import { futureInTraining } from "./futureInTraining.ts";
import { labelPredictors } from "./labelPredictors.ts";
import type { LeakageInput, LeakageWarning } from "./leakageWarning.ts";

interface Check {
  /** Completes "The check for ...". */
  readonly subject: string;
  run(input: LeakageInput): Promise<LeakageWarning[]>;
}

const checks: readonly Check[] = [
  { subject: "duplicate rows", run: duplicateRows },
  { subject: "fields that predict a label", run: labelPredictors },
  { subject: "training rows later than validation and test", run: futureInTraining },
  { subject: "statistics of all rows", run: fittedStatistics },
];

/** The warnings of all checks, in a fixed order; a check that fails is one NOT_CHECKED. All run in DuckDB's threads. */
export async function checkLeakage(input: LeakageInput): Promise<LeakageWarning[]> {
  const warnings: LeakageWarning[] = [];
  for (const { subject, run } of checks) {
    try {
      warnings.push(...(await run(input)));
    } catch (cause) {
      const reason = (cause instanceof Error ? cause.message : String(cause)).split("\n")[0]!;
      warnings.push({
        kind: "NOT_CHECKED",
        message: `The check for ${subject} could not be made: ${reason}`,
        column: null,
        task: null,
        split: null,
        rows: null,
        share: null,
        evidence: {},
      });
    }
  }
  return warnings;
}
