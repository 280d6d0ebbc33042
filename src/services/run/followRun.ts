/**
 * The events of runs as streams. Runs are trained by other processes, so somebody has to look: one look at the database
 * every `pollMs` for all runs that are followed, and none while nobody follows. New events of a run are read once and
 * shared by its followers; one who has fallen behind them reads the stored ones, page by page and at its own pace, so
 * nobody's slowness costs memory.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { RunEvent } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import { assertKnown, hasEnded, stateChangeOf } from "./runEvents.ts";

export interface FollowOptions {
  /** Milliseconds between two looks; default 200. */
  readonly pollMs?: number;
}

/**
 * Gives each event after the event `after` once and in order, and ends when the run has ended and all were given; while
 * the run is PAUSED it waits. `return` ends it at any time, while it waits too. Throws NotFoundError, or InvalidInputError
 * for an `after` that has not happened.
 */
export type FollowRun = (id: string, after: number) => Promise<AsyncIterableIterator<RunEvent>>;

interface Follower {
  wake(): void;
  hasLeft: boolean;
}

interface Followed {
  readonly id: string;
  readonly followers: Set<Follower>;
  /** Sequence number of the newest event that is known. */
  last: number;
  /** The newest events, ascending and without a gap up to `last`; may be empty. */
  recent: readonly RunEvent[];
  /** Set where the database could not be asked. */
  fault: unknown;
}

/** Events a follower reads at a time. */
const pageSize = 100;
/** Events of a run that are shared. */
const shared = 500;

export function createFollowRun(
  { runs, events }: Pick<Store, "runs" | "events">,
  options: FollowOptions = {},
): FollowRun {
  const { pollMs = 200 } = options;
  const followed = new Map<string, Followed>();
  let isPolling = false;

  const look = async (): Promise<void> => {
    for (const { runId, sequence } of await events.lastByRunIds([...followed.keys()])) {
      const run = followed.get(runId);
      if (run === undefined || sequence <= run.last) continue;
      const news = await events.list(runId, { after: run.last, first: shared });
      run.recent = [...run.recent, ...news].slice(-shared);
      run.last = news.at(-1)!.sequence;
      for (const follower of run.followers) follower.wake();
    }
  };

  const poll = async (): Promise<void> => {
    isPolling = true;
    while (followed.size > 0) {
      await look().catch((fault: unknown) => {
        for (const run of followed.values()) giveUp(run, fault);
        followed.clear();
      });
      await pause(pollMs);
    }
    isPolling = false;
  };

  const newerThan = async (run: Followed, at: number): Promise<readonly RunEvent[]> => {
    if (at >= run.last) return [];
    const first = run.recent[0]?.sequence ?? Infinity;
    return first <= at + 1 ? run.recent.slice(at + 1 - first) : events.list(run.id, { after: at, first: pageSize });
  };

  const leave = (run: Followed, follower: Follower): void => {
    follower.hasLeft = true;
    follower.wake();
    run.followers.delete(follower);
    if (run.followers.size === 0 && followed.get(run.id) === run) followed.delete(run.id);
  };

  async function* given(run: Followed, follower: Follower, after: number): AsyncGenerator<RunEvent, undefined> {
    try {
      for (let at = after; !follower.hasLeft;) {
        for (const event of await newerThan(run, at)) {
          if (follower.hasLeft) return;
          yield event;
          at = event.sequence;
          if (hasEnded(stateChangeOf(event)?.state ?? "RUNNING")) return;
        }
        if (run.fault !== undefined) throw run.fault;
        if (at >= run.last && !follower.hasLeft) {
          await new Promise<void>((resolve) => (follower.wake = resolve));
        }
      }
    } finally {
      leave(run, follower);
    }
  }

  return async (id, after) => {
    const row = await runs.get(id);
    assertKnown(row, after);
    if (hasEnded(row.state) && after >= row.lastEvent) return nothing();
    const run = followed.get(id) ?? { id, followers: new Set(), last: row.lastEvent, recent: [], fault: undefined };
    const follower: Follower = { wake: () => undefined, hasLeft: false };
    run.followers.add(follower);
    followed.set(id, run);
    if (!isPolling) void poll();
    const stream = given(run, follower, after);
    const endable: AsyncIterableIterator<RunEvent> = {
      next: () => stream.next(),
      // The stream itself would hear of it only with the next event.
      return() {
        leave(run, follower);
        return stream.return(undefined);
      },
      [Symbol.asyncIterator]: () => endable,
    };
    return endable;
  };
}

function giveUp(run: Followed, fault: unknown): void {
  run.fault = fault;
  for (const follower of run.followers) follower.wake();
}

async function* nothing(): AsyncGenerator<never> {}
