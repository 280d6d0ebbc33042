/** Reads runs, all that are asked for at about the same time with one statement: a statement costs more than a prediction. */
import type { Run } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";

export interface RunReader {
  /** As it stands in the database after the call. Throws NotFoundError. */
  get(id: string): Promise<Run>;
}

interface Reading {
  readonly ids: Set<string>;
  readonly runs: Promise<ReadonlyMap<string, Run>>;
}

export function createRunReader({ runs }: Pick<Store, "runs">): RunReader {
  /** The one that has not begun yet. */
  let next: Reading | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const begin = (): Reading => {
    const ids = new Set<string>();
    const read = async (): Promise<ReadonlyMap<string, Run>> => {
      // Requests that came together have all asked by then.
      await new Promise((resolve) => setImmediate(resolve));
      next = undefined;
      return new Map((await runs.byIds([...ids])).map((run) => [run.id, run]));
    };
    const reading = { ids, runs: last.then(read) };
    last = reading.runs.catch(() => undefined);
    return reading;
  };

  return {
    async get(id) {
      next ??= begin();
      next.ids.add(id);
      const run = (await next.runs).get(id);
      // The store says how there is none.
      return run ?? runs.get(id);
    },
  };
}
