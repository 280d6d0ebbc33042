/** Takes away for good what was deleted: first what it would mean, then the deed. */
import { z } from "zod";
import { purgedKinds } from "../../store/purged.ts";
import type { PurgeBlocker, PurgedKind } from "../../store/purged.ts";
import type { CountedPlan } from "../../store/purge.ts";
import type { Installation } from "../installation.ts";
import { parseInput } from "../parseInput.ts";
import { withField } from "../withField.ts";

export interface PurgeGroup {
  readonly kind: PurgedKind | "METRIC" | "EVENT" | "TAG";
  readonly count: number;
  /** The first of them; none of rows that have no id of their own. */
  readonly ids: string[];
}

export interface ShownPlan {
  /** Without kinds of which nothing goes. */
  readonly goes: PurgeGroup[];
  /** The first of them. */
  readonly blockers: PurgeBlocker[];
  readonly blockerCount: number;
  readonly files: number;
  readonly bytes: number;
  readonly fingerprint: string;
}

export interface Purge {
  readonly gone: PurgeGroup[];
  readonly files: number;
  readonly bytes: number;
}

const mostShownIds = 1000;
const mostShownBlockers = 100;

const ids = z.array(z.string()).min(1).max(1000);
const purgeInput = z.strictObject({ ids, fingerprint: z.string() });

/** Throws InvalidInputError or NotFoundError for an id. */
export async function purgePlan({ store }: Pick<Installation, "store">, given: unknown): Promise<ShownPlan> {
  const plan = await store.purges.plan(parseInput(ids, given, "ids"), "ids");
  return {
    goes: groupsOf(plan),
    blockers: plan.blockers.slice(0, mostShownBlockers),
    blockerCount: plan.blockers.length,
    files: plan.hashes.length,
    bytes: plan.bytes,
    fingerprint: plan.fingerprint,
  };
}

/**
 * Throws InvalidInputError or NotFoundError for an id, ConflictError where something is in the way or the plan is not the one with
 * this fingerprint any more.
 */
export async function purge({ store }: Pick<Installation, "store">, input: unknown): Promise<Purge> {
  const parsed = parseInput(purgeInput, input, "input");
  const { plan, files, bytes } = await withField({ fingerprint: "input.fingerprint" }, () =>
    store.purges.purge({ ...parsed, field: "input.ids" }),
  );
  return { gone: groupsOf(plan), files, bytes };
}

function groupsOf({ goes, metrics, events, tags }: CountedPlan): PurgeGroup[] {
  const things = purgedKinds.map((kind) => {
    return { kind, count: goes[kind].length, ids: goes[kind].slice(0, mostShownIds) };
  });
  const rows = [
    { kind: "METRIC", count: metrics, ids: [] },
    { kind: "EVENT", count: events, ids: [] },
    { kind: "TAG", count: tags, ids: [] },
  ] as const;
  return [...things, ...rows.map((group) => ({ ...group, ids: [] }))].filter(({ count }) => count > 0);
}
