/** What the events of a run mean, and a page of them. Their contents were checked by whoever wrote them. */
import type { EventRequest } from "../../store/events.ts";
import type { RecordedError, Run, RunEvent, RunState, StopReason } from "../../store/rows.ts";
import type { EpochSummary, Progress } from "../../training/events.ts";
import { refusal } from "../parseInput.ts";

export type { RunEvent as RunEventRow } from "../../store/rows.ts";

/** The state a run came into. */
export interface StateChange {
  readonly state: RunState;
  readonly attempt?: number;
  readonly stopReason?: StopReason;
  readonly error?: RecordedError;
}

/** Up to where a training was saved. */
export interface CheckpointSaved {
  /** Epochs done. */
  readonly epoch: number;
  /** Steps done in the epoch after them. */
  readonly step: number;
}

export interface RunEventPage {
  /** Ascending, without a gap. */
  readonly events: RunEvent[];
  /** The newest there is; 0 if there is none. */
  readonly lastSequence: number;
  /** True if the run has ended and nothing follows these. */
  readonly ended: boolean;
}

const mostEvents = 1000;

/** Those after the event `after`, up to `first` (1 to 1000) of them, as `read` has them. Throws InvalidInputError. */
export async function runEvents(
  run: Run,
  { after, first }: EventRequest,
  read: (request: EventRequest) => Promise<readonly RunEvent[]>,
): Promise<RunEventPage> {
  if (first < 1 || first > mostEvents) throw refusal("first", `1 to ${mostEvents}`, String(first));
  assertKnown(run, after);
  const events = run.lastEvent > after ? [...(await read({ after, first }))] : [];
  const last = events.at(-1)?.sequence ?? after;
  // The run may have gone on since its row was read.
  const lastSequence = Math.max(run.lastEvent, last);
  return { events, lastSequence, ended: hasEnded(run.state) && last === lastSequence };
}

/** Nobody can know an event that has not happened. Throws InvalidInputError. */
export function assertKnown({ id, lastEvent }: Run, after: number): void {
  if (after >= 0 && after <= lastEvent) return;
  throw refusal("after", `0 to ${lastEvent}, the sequence number of the newest event of ${id}`, String(after));
}

export function hasEnded(state: RunState): boolean {
  return state === "SUCCEEDED" || state === "FAILED" || state === "CANCELLED";
}

// One per kind: null for an event of another.

export const stateChangeOf = ({ kind, content }: RunEvent): StateChange | null =>
  kind === "STATE" ? (content as StateChange) : null;

export const progressReportOf = ({ kind, content }: RunEvent): Progress | null =>
  kind === "PROGRESS" ? (content as Progress) : null;

export const epochSummaryOf = ({ kind, content }: RunEvent): EpochSummary | null =>
  kind === "EPOCH" ? (content as EpochSummary) : null;

export const checkpointSavedOf = ({ kind, content }: RunEvent): CheckpointSaved | null =>
  kind === "CHECKPOINT" ? (content as CheckpointSaved) : null;
