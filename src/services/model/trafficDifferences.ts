/**
 * By how much two versions of a model differ on the requests that both answer: summed up in memory per scenario and task, and
 * added to what the database has every few seconds, where the sums of several server processes come together.
 */
import type { DifferenceSums } from "../../store/modelTraffic.ts";
import type { Store } from "../../store/store.ts";

/** Rows that both versions have answered. */
export interface AnsweredTwice {
  readonly modelId: string;
  /** Through which the model was asked for. */
  readonly alias: string;
  /** Numbers of the versions: that of the alias, and the other, whichever of them the caller got. */
  readonly version: number;
  readonly other: number;
  /** Key of the scenario of each row [rows]. */
  readonly scenarios: readonly string[];
  /** [tasks] */
  readonly taskKeys: readonly string[];
  /** Row-major [rows, tasks]. */
  readonly probabilities: ArrayLike<number>;
  readonly otherProbabilities: ArrayLike<number>;
}

export interface TrafficDifferences {
  /** Costs no statement. Where one of the two is not a finite number the row is left out. */
  recordDifference(answered: AnsweredTwice): void;
  /** Writes what is not written yet. What cannot be written is kept and tried again with the next. */
  flush(): Promise<void>;
  /** Writes the rest. */
  close(): Promise<void>;
}

interface TrafficDifferencesOptions {
  readonly store: Pick<Store, "modelTraffic">;
  readonly log: { warn(message: string, fields?: { readonly error: unknown }): void };
  /** Between two writings, in milliseconds; default: 5,000. */
  readonly everyMs?: number;
}

type Sums = { -readonly [Member in keyof DifferenceSums]: DifferenceSums[Member] };

export function createTrafficDifferences({
  store,
  log,
  everyMs = 5_000,
}: TrafficDifferencesOptions): TrafficDifferences {
  /** By the address of the cell. */
  let open = new Map<string, Sums>();
  let writing: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    const taken = open;
    if (taken.size === 0) return;
    open = new Map();
    try {
      await store.modelTraffic.addDifferences([...taken.values()]);
    } catch (error) {
      log.warn("differences of traffic could not be written; they are kept and tried again", { error });
      for (const sums of taken.values()) add(sumsOf(open, sums), sums);
    }
  };
  /** One after the other. */
  const flush = (): Promise<void> => (writing = writing.then(write));
  const timer = setInterval(() => void flush(), everyMs);
  timer.unref();

  return {
    recordDifference({ scenarios, taskKeys, probabilities, otherProbabilities, ...pair }) {
      scenarios.forEach((scenarioKey, row) => {
        taskKeys.forEach((taskKey, task) => {
          const probability = probabilities[row * taskKeys.length + task]!;
          const other = otherProbabilities[row * taskKeys.length + task]!;
          const absolute = Math.abs(other - probability);
          if (!Number.isFinite(absolute)) return;
          add(sumsOf(open, { ...pair, scenarioKey, taskKey }), {
            rows: 1,
            sum: probability,
            otherSum: other,
            absoluteSum: absolute,
            largest: absolute,
            moreThan001: absolute > 0.01 ? 1 : 0,
            moreThan01: absolute > 0.1 ? 1 : 0,
          });
        });
      });
    },
    flush,
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}

type Address = Pick<Sums, "modelId" | "alias" | "version" | "other" | "scenarioKey" | "taskKey">;

const nothing = { rows: 0, sum: 0, otherSum: 0, absoluteSum: 0, largest: 0, moreThan001: 0, moreThan01: 0 };

/** Those of the address, made where there are none. */
function sumsOf(open: Map<string, Sums>, address: Address): Sums {
  const { modelId, alias, version, other, scenarioKey, taskKey } = address;
  const key = `${modelId} ${alias} ${version} ${other} ${scenarioKey} ${taskKey}`;
  const found = open.get(key);
  if (found) return found;
  const made = { modelId, alias, version, other, scenarioKey, taskKey, ...nothing };
  open.set(key, made);
  return made;
}

function add(sums: Sums, more: typeof nothing): void {
  sums.rows += more.rows;
  sums.sum += more.sum;
  sums.otherSum += more.otherSum;
  sums.absoluteSum += more.absoluteSum;
  sums.largest = Math.max(sums.largest, more.largest);
  sums.moreThan001 += more.moreThan001;
  sums.moreThan01 += more.moreThan01;
}
