/** What a purge is about: the things that go, and those that are in its way. */

export const purgedKinds = [
  "SCENARIO",
  "TASK",
  "DATASET",
  "RUN",
  "EXPERIMENT",
  "TRIAL",
  "MODEL",
  "MODEL_VERSION",
  "BATCH_PREDICTION",
  "MODEL_EXPORT",
] as const;
export type PurgedKind = (typeof purgedKinds)[number];

/** Ids by kind, ascending. */
export type Purged = Readonly<Record<PurgedKind, readonly string[]>>;

/** Something that is in the way. */
export interface PurgeBlocker {
  readonly id: string;
  /** Which of the things to be purged it needs; its own id where it is one of them. */
  readonly needs: string;
  readonly reason: "NOT_DELETED" | "DEPENDS" | "AT_WORK";
  readonly deletedAt: Date | null;
}
