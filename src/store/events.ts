/**
 * What happened to a run, numbered from 1 without a gap. An event is written in the transaction of the change it tells
 * of, so whoever has read up to a number has missed nothing, and reads nothing twice.
 */
import { announce } from "./outbox.ts";
import type { RecordedError, RunEvent, RunEventKind, RunState, StopReason } from "./rows.ts";
import { eventOf } from "./rows.ts";
import type { Database, DatabaseTransaction } from "./sqlite.ts";

export interface EventRequest {
  /** The last sequence number that is known already; 0 for all. */
  readonly after: number;
  /** Events wanted at most. */
  readonly first: number;
}

/** Content of an event of kind STATE. */
interface NewState {
  readonly state: RunState;
  readonly attempt?: number;
  readonly stopReason?: StopReason;
  readonly error?: RecordedError;
}

export type Events = ReturnType<typeof eventStore>;

export function eventStore(database: Database) {
  return {
    /** Ascending. */
    async list(runId: string, { after, first }: EventRequest): Promise<RunEvent[]> {
      const rows = await database.runEvent.findMany({
        where: { runId, sequence: { gt: after } },
        orderBy: { sequence: "asc" },
        take: first,
      });
      return rows.map(eventOf);
    },

    /** Of each of the runs, ascending. Their numbers have no gap, so this is one range for all of them. */
    async pagesByRunIds(runIds: readonly string[], { after, first }: EventRequest): Promise<RunEvent[]> {
      const rows = await database.runEvent.findMany({
        where: { runId: { in: [...runIds] }, sequence: { gt: after, lte: after + first } },
        orderBy: { sequence: "asc" },
      });
      return rows.map(eventOf);
    },

    /** For each of the runs that has an event, the number of its newest. */
    async lastByRunIds(runIds: readonly string[]): Promise<{ readonly runId: string; readonly sequence: number }[]> {
      const rows = await database.modelRun.findMany({
        where: { id: { in: [...runIds] }, lastEvent: { gt: 0 } },
        select: { id: true, lastEvent: true },
      });
      return rows.map(({ id, lastEvent }) => ({ runId: id, sequence: lastEvent }));
    },
  };
}

/** The run's next event; a new state is told to webhooks too. */
export async function appendEvent(
  tx: DatabaseTransaction,
  runId: string,
  kind: RunEventKind,
  content: object,
): Promise<void> {
  const { lastEvent: sequence, ...run } = await tx.modelRun.update({
    where: { id: runId },
    data: { lastEvent: { increment: 1 } },
    select: { lastEvent: true, kind: true, datasetId: true },
  });
  await tx.runEvent.create({
    data: { runId, sequence, kind, content: JSON.stringify(content), createdAt: new Date() },
  });
  if (kind !== "STATE") return;
  const { state, error, ...more } = content as NewState;
  await announce(tx, `run.${state.toLowerCase() as Lowercase<RunState>}`, runId, {
    run: runId,
    kind: run.kind,
    dataset: run.datasetId,
    sequence,
    state,
    ...more,
    ...(error ? { error: { code: error.code, message: error.message } } : {}),
  });
}
