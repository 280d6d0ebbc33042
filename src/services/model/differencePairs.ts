/** What was recorded of an alias's traffic, by pairs of versions: means instead of sums. */
import type { TrafficDifference } from "../../store/rows.ts";

export interface DifferenceFigures {
  readonly scenarioKey: string;
  readonly taskKey: string;
  readonly rows: number;
  readonly mean: number;
  readonly otherMean: number;
  /** Other − mean. */
  readonly meanDifference: number;
  readonly meanAbsoluteDifference: number;
  readonly largestDifference: number;
  readonly rowsAbove001: number;
  readonly rowsAbove01: number;
}

export interface DifferencePair {
  readonly version: number;
  readonly other: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly cells: DifferenceFigures[];
}

/** The pair that answered last first; the cells in the order of the rows. */
export function differencePairs(rows: readonly TrafficDifference[]): DifferencePair[] {
  const pairs = new Map<string, TrafficDifference[]>();
  for (const row of rows) {
    const key = `${row.version} ${row.other}`;
    pairs.set(key, [...(pairs.get(key) ?? []), row]);
  }
  return [...pairs.values()]
    .map((own) => ({
      version: own[0]!.version,
      other: own[0]!.other,
      firstAt: new Date(Math.min(...own.map(({ firstAt }) => firstAt.getTime()))),
      lastAt: new Date(Math.max(...own.map(({ lastAt }) => lastAt.getTime()))),
      cells: own.map(figuresOf),
    }))
    .sort((a, b) => b.lastAt.getTime() - a.lastAt.getTime() || b.version - a.version || b.other - a.other);
}

function figuresOf(row: TrafficDifference): DifferenceFigures {
  const { scenarioKey, taskKey, rows, sum, otherSum, absoluteSum, largest, moreThan001, moreThan01 } = row;
  return {
    scenarioKey,
    taskKey,
    rows,
    mean: sum / rows,
    otherMean: otherSum / rows,
    meanDifference: (otherSum - sum) / rows,
    meanAbsoluteDifference: absoluteSum / rows,
    largestDifference: largest,
    rowsAbove001: moreThan001,
    rowsAbove01: moreThan01,
  };
}
