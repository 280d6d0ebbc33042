/** docs/schema-changes.md: a page with a section for every release, the newest first. */
import { schemaChanges } from "./schemaChanges.ts";
import type { SchemaChanges } from "./schemaChanges.ts";

export interface SchemaRelease {
  /** Three numbers, as in package.json. */
  readonly version: string;
  /** Year, month and day. */
  readonly date: string;
  /** The schema of the release before. */
  readonly before: string;
  readonly after: string;
}

const titles = {
  breaking: "Breaking",
  announced: "Removed after deprecation",
  dangerous: "To look at",
  deprecated: "Deprecated",
  added: "Added",
} satisfies Record<keyof SchemaChanges, string>;

/**
 * The page with the section of a release, in place of one of the same version if there is one. Throws an Error where the
 * release breaks clients that were not warned though its version does not say so: by its first number or, below 1.0.0, its
 * second; the first release of all breaks nobody.
 */
export function withRelease(page: string, { version, date, before, after }: SchemaRelease): string {
  if (!/^\d+\.\d+\.\d+$/.test(version))
    throw new Error(`version: expected three numbers such as 0.2.0, got "${version}"`);
  const [introduction, ...existing] = page.split(/^(?=## )/m) as [string, ...string[]];
  const others = existing.filter((section) => versionOf(section) !== version);
  const changes = schemaChanges(before, after);
  const last = others[0] && versionOf(others[0]);
  if (changes.breaking.length > 0 && last !== undefined && !mayBreak(last, version)) throw new Error(unwarned(changes));
  const sections = [introduction, sectionText(`${version}, ${date}`, changes), ...others];
  return `${sections.map((part) => part.trim()).join("\n\n")}\n`;
}

/** What to do about changes that break clients which were not warned. */
export function unwarned({ breaking }: Pick<SchemaChanges, "breaking">): string {
  return [
    "schema.graphql: expected what the last release has (docs/schema.released.graphql), or had deprecated; got:",
    ...breaking.map((change) => `- ${change}`),
    "Keep it beside the new one with @deprecated(reason: ...) for a release (docs/schema-changes.md says how), or",
    "make a release that may break: npm run schema:release -- <version>.",
  ].join("\n");
}

function versionOf(section: string): string {
  return /^## ([^\s,]+)/.exec(section)?.[1] ?? "";
}

function mayBreak(last: string, next: string): boolean {
  const significant = (version: string): string => version.split(".", version.startsWith("0.") ? 2 : 1).join(".");
  return significant(last) !== significant(next);
}

function sectionText(title: string, changes: SchemaChanges): string {
  const lists = (Object.keys(titles) as (keyof SchemaChanges)[])
    .filter((kind) => changes[kind].length > 0)
    .map((kind) =>
      [`### ${titles[kind]}`, changes[kind].map((change) => `- ${inCode(change)}`).join("\n")].join("\n\n"),
    );
  return [`## ${title}`, ...(lists.length > 0 ? lists : ["Nothing has changed."])].join("\n\n");
}

/** With the path, and the type that follows it, as code. */
function inCode(change: string): string {
  return change.replace(/\b[A-Z]\w*\.\w+(?:\(\w+\))?(?:: \S+)?/, "`$&`");
}
