/**
 * The audit log: what was asked to be changed, by whom, and how it ended. Entries are only added. Each holds the hash of the
 * one before, so that one that is changed, taken out or put in between shows; one that is cut off at the end shows
 * to whoever has noted a later `sequence` with its hash.
 */
import { createHash } from "node:crypto";
import type { AuditEntryModel } from "./client/models.ts";
import { invalid } from "./filters.ts";
import type { Page, PageRequest } from "./page.ts";
import { pageOf } from "./page.ts";
import type { Database } from "./sqlite.ts";

export type AuditPhase = "BEGUN" | "DONE" | "REFUSED" | "FAILED";

export interface NewAuditEntry {
  /** Id of the token; empty where none was needed. */
  readonly actor: string;
  readonly actorName: string;
  /** The mutation. */
  readonly operation: string;
  readonly phase: AuditPhase;
  /** `sequence` of the BEGUN that this is the end of. */
  readonly begun?: number;
  /** Ids that the input names, or that the answer holds. */
  readonly subjects: readonly string[];
  /** sha256 of the input. */
  readonly inputHash: string;
  /** Of a REFUSED one. */
  readonly code?: string;
  readonly requestId: string;
}

export type AuditEntry = Readonly<
  Omit<AuditEntryModel, "phase" | "subjects"> & { readonly phase: AuditPhase; readonly subjects: readonly string[] }
>;

/** A place in the log, as it may be noted elsewhere. */
export interface AuditHead {
  readonly sequence: number;
  readonly hash: string;
}

export interface AuditCheck {
  /** Entries that were looked at. */
  readonly entries: number;
  /** The first entry that is not as it was written; null where all are. */
  readonly brokenAt: number | null;
  /** The newest entry; null for an empty log. */
  readonly head: AuditHead | null;
}

export interface AuditFilter {
  readonly actor?: string;
  readonly operation?: string;
  readonly phase?: AuditPhase;
}

const beforeTheFirst = "0".repeat(64);
const checkedAtOnce = 1000;

export type Audit = ReturnType<typeof auditStore>;

export function auditStore(database: Database) {
  return {
    /** Gives its `sequence`. */
    append({ begun, code, subjects, ...entry }: NewAuditEntry): Promise<number> {
      return database.$transaction(async (tx) => {
        const last = await tx.auditEntry.findFirst({ orderBy: { sequence: "desc" } });
        const content = {
          ...entry,
          sequence: (last?.sequence ?? 0) + 1,
          at: new Date(),
          subjects: JSON.stringify(subjects),
          begun: begun ?? null,
          code: code ?? null,
          previousHash: last?.hash ?? beforeTheFirst,
        };
        await tx.auditEntry.create({ data: { ...content, hash: hashOf(content) } });
        return content.sequence;
      });
    },

    /** Newest first. `after` is the `sequence` of the last entry of the page before. */
    async list(request: PageRequest & AuditFilter): Promise<Page<AuditEntry>> {
      const { first, after, value: _, ...filter } = request;
      if (after !== undefined && !/^\d{1,9}$/.test(after)) throw invalid("after", "a place in the audit log", after);
      const rows = await database.auditEntry.findMany({
        where: { ...filter, ...(after === undefined ? {} : { sequence: { lt: Number(after) } }) },
        orderBy: { sequence: "desc" },
        take: first + 1,
      });
      return pageOf(rows.map(entryOf), { first });
    },

    /** Of all pages. */
    count(filter: AuditFilter): Promise<number> {
      return database.auditEntry.count({ where: filter });
    },

    /** Goes through the whole log. */
    async check(noted?: AuditHead): Promise<AuditCheck> {
      let previous: AuditHead | null = null;
      let brokenAt: number | null = null;
      for (;;) {
        const rows: AuditEntryModel[] = await database.auditEntry.findMany({
          where: { sequence: { gt: previous?.sequence ?? 0 } },
          orderBy: { sequence: "asc" },
          take: checkedAtOnce,
        });
        for (const row of rows) {
          const { hash, ...content } = row;
          const follows =
            row.sequence === (previous?.sequence ?? 0) + 1 && row.previousHash === (previous?.hash ?? beforeTheFirst);
          const isAsNoted = noted?.sequence !== row.sequence || noted.hash === hash;
          if (!(follows && isAsNoted && hash === hashOf(content))) brokenAt ??= row.sequence;
          previous = { sequence: row.sequence, hash };
        }
        if (rows.length < checkedAtOnce) break;
      }
      const entries = previous?.sequence ?? 0;
      if (noted && noted.sequence > entries) brokenAt ??= entries + 1;
      return { entries, brokenAt, head: previous };
    },
  };
}

function hashOf(content: Omit<AuditEntryModel, "hash">): string {
  const {
    sequence,
    at,
    actor,
    actorName,
    operation,
    phase,
    begun,
    subjects,
    inputHash,
    code,
    requestId,
    previousHash,
  } = content;
  const members = [sequence, at.toISOString(), actor, actorName, operation, phase, begun, subjects, inputHash, code];
  return createHash("sha256")
    .update(JSON.stringify([...members, requestId, previousHash]))
    .digest("hex");
}

function entryOf(row: AuditEntryModel): AuditEntry {
  return { ...row, phase: row.phase as AuditPhase, subjects: JSON.parse(row.subjects) as string[] };
}
