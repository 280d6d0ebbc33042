/** How far the rows that a model version answers have moved away from those it was trained on, field by field. */
import { stability } from "../../metrics/psi.ts";
import type { ModelVersion } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import { cellOf } from "../stored.ts";
import { binCount, otherBin, unknownBin } from "./bins.ts";
import { dayRange } from "./days.ts";
import type { TrainingDistributions } from "./trainingDistribution.ts";

export type DriftVerdict = "STABLE" | "MODERATE" | "SHIFTED" | "TOO_FEW";

export interface DriftBin {
  readonly kind: "VALUE" | "OTHER" | "UNKNOWN";
  /** Null unless it is a VALUE. */
  readonly value: string | null;
  /** Of the rows of the scenario, in [0, 1]; null where there are none. */
  readonly trainingShare: number | null;
  readonly servedShare: number | null;
}

export interface FieldDrift {
  readonly scenarioKey: string;
  readonly column: string;
  readonly trainingRows: number;
  readonly servedRows: number;
  readonly psi: number | null;
  readonly chance: number | null;
  readonly verdict: DriftVerdict;
  readonly unknownTrainingShare: number | null;
  readonly unknownServedShare: number | null;
  readonly bins: readonly DriftBin[];
}

export interface Days {
  readonly from: Date;
  readonly to: Date;
}

/** Served rows below which there is no verdict. */
const fewRows = 100;

/** By scenario, then field, in the order of the dataset. Throws InvalidInputError for the days. */
export async function drift(
  { store }: Pick<Installation, "store">,
  distributionOf: TrainingDistributions,
  version: ModelVersion,
  days: Days,
): Promise<FieldDrift[]> {
  const range = dayRange(days);
  const run = await store.runs.get(version.runId);
  const training = await distributionOf(await store.datasets.get(run.datasetId));
  const { scenarios, fields } = training;
  const served = new Float64Array(training.rows.length);
  for (const { scenarioKey, column, bin, rows } of await store.served.binsOf(version.id, range)) {
    const field = fields.findIndex((one) => one.column === column);
    served[(scenarios.indexOf(scenarioKey) * fields.length + field) * binCount + bin] = rows;
  }
  const only = cellOf(run)?.scenario;
  return scenarios.flatMap((scenarioKey, scenario) =>
    only !== undefined && scenarioKey !== only
      ? []
      : fields.flatMap(({ column, values, hasOthers }, place) => {
          if (values === null) return [];
          const first = (scenario * fields.length + place) * binCount;
          const [before, now] = [training.rows, served].map((rows) => Array.from(rows.slice(first, first + binCount)));
          return [{ scenarioKey, column, ...fieldDrift({ values, hasOthers }, before!, now!) }];
        }),
  );
}

interface Field {
  readonly values: readonly string[];
  readonly hasOthers: boolean;
}

/** `before` and `now`: rows [bins]. */
function fieldDrift({ values, hasOthers }: Field, before: readonly number[], now: readonly number[]) {
  const [trainingRows, servedRows] = [total(before), total(now)];
  const { psi, chance } = stability(before, now);
  const share = (rows: readonly number[], all: number, bin: number) => (all === 0 ? null : rows[bin]! / all);
  const shares = (bin: number) => {
    return { trainingShare: share(before, trainingRows, bin), servedShare: share(now, servedRows, bin) };
  };
  const bins: DriftBin[] = [
    ...values.map((value, bin) => ({ kind: "VALUE" as const, value, ...shares(bin) })),
    ...(hasOthers ? [{ kind: "OTHER" as const, value: null, ...shares(otherBin) }] : []),
    { kind: "UNKNOWN", value: null, ...shares(unknownBin) },
  ];
  const { trainingShare, servedShare } = shares(unknownBin);
  return {
    trainingRows,
    servedRows,
    psi,
    chance,
    verdict: verdictOf(psi, servedRows),
    unknownTrainingShare: trainingShare,
    unknownServedShare: servedShare,
    bins,
  };
}

/** The bounds are those of credit scoring (src/metrics/psi.ts). */
function verdictOf(psi: number | null, servedRows: number): DriftVerdict {
  if (psi === null || servedRows < fewRows) return "TOO_FEW";
  if (psi < 0.1) return "STABLE";
  return psi < 0.25 ? "MODERATE" : "SHIFTED";
}

function total(rows: readonly number[]): number {
  return rows.reduce((sum, count) => sum + count, 0);
}
