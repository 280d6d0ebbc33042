import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { unwarned, withRelease } from "../../docs/tools/schemaChangelog.ts";
import { schemaChanges } from "../../docs/tools/schemaChanges.ts";
import { typeDefs } from "../../src/graphql/schema.ts";

describe("schema.graphql", () => {
  it("has all that the last release has, or had deprecated", () => {
    const released = readFileSync(new URL("../../docs/schema.released.graphql", import.meta.url), "utf8");
    const changes = schemaChanges(released, typeDefs());
    expect(changes.breaking, unwarned(changes)).toEqual([]);
  });
});

describe("a change breaks clients", () => {
  const breaking = (before: string, after: string): readonly string[] => schemaChanges(before, after).breaking;

  it("not where something is added", () => {
    expect(breaking("type Query { a: Int }", "type Query { a(first: Int = 1): Int, b: Int }")).toEqual([]);
  });

  it("where a field goes at once, but not where it was deprecated", () => {
    expect(breaking("type Query { a: Int, b: Int }", "type Query { b: Int }")).toEqual(["Query.a was removed."]);
    const warning = 'type Query { a: Int @deprecated(reason: "Use b."), b: Int }';
    expect(breaking(warning, "type Query { b: Int }")).toEqual([]);
    expect(schemaChanges(warning, "type Query { b: Int }").announced).toEqual(["Query.a was removed."]);
  });

  it("where a type goes, but not with the deprecated field that led to it", () => {
    const types = "type A { b: B } type B { c: Int }";
    expect(breaking(`type Query { a: A, z: Int } ${types}`, "type Query { z: Int }")).toContain("A was removed.");
    expect(breaking(`type Query { a: A @deprecated, z: Int } ${types}`, "type Query { z: Int }")).toEqual([]);
    const twoWays = `type Query { a: A @deprecated, b: B, z: Int } ${types}`;
    expect(breaking(twoWays, "type Query { z: Int }")).toEqual(["B was removed.", "Query.b was removed."]);
  });

  it("where a type goes that an interface leads to, but not once all its fields were deprecated", () => {
    const node = "type Query { node: Node } interface Node { id: ID! } type A implements Node { id: ID! }";
    expect(breaking(`${node} type B implements Node { id: ID! }`, node)).toEqual(["B was removed."]);
    expect(breaking(`${node} type B implements Node { id: ID! @deprecated }`, node)).toEqual([]);
  });

  it("where a value of an enum goes at once, but not where it was deprecated", () => {
    const now = "type Query { a: E } enum E { X }";
    expect(breaking("type Query { a: E } enum E { X Y }", now)).toEqual(["Y was removed from enum type E."]);
    expect(breaking("type Query { a: E } enum E { X Y @deprecated }", now)).toEqual([]);
  });

  it("where an argument or an input member goes at once, but not where it was deprecated", () => {
    const now = "type Query { a(i: I): Int } input I { x: Int }";
    expect(breaking("type Query { a(i: I, j: Int): Int } input I { x: Int, y: Int }", now)).toEqual([
      "Query.a arg j was removed.",
      "I.y was removed.",
    ]);
    expect(
      breaking("type Query { a(i: I, j: Int @deprecated): Int } input I { x: Int, y: Int @deprecated }", now),
    ).toEqual([]);
  });

  it("where a type changes: an answer that may be null, an input that may not", () => {
    const before = "type Query { a(x: Int): Int! }";
    expect(breaking(before, "type Query { a(x: Int): Int }")).toEqual(["Query.a changed type from Int! to Int."]);
    expect(breaking(before, "type Query { a(x: Int!): Int! }")).toEqual([
      "Query.a arg x has changed type from Int to Int!.",
    ]);
    expect(breaking("type Query { a(x: Int!): Int }", "type Query { a(x: Int): Int! }")).toEqual([]);
  });

  it("where a new argument or input member is required", () => {
    const before = "type Query { a(i: I): Int } input I { x: Int }";
    expect(breaking(before, "type Query { a(i: I, j: Int!): Int } input I { x: Int, y: Int! }")).toEqual([
      "A required arg j on Query.a was added.",
      "A required field y on input type I was added.",
    ]);
    expect(breaking(before, "type Query { a(i: I, j: Int! = 1): Int } input I { x: Int, y: Int! = 1 }")).toEqual([]);
  });
});

describe("the other changes", () => {
  it("are told apart: what is new, what is deprecated, what a program may stumble over", () => {
    const before = "type Query { a(x: Int = 1, i: I): E, old: Int } enum E { X } input I { y: Int = 1 }";
    const after = `
      type Query { a(x: Int = 2, i: I, j: Int): E, old: Int @deprecated(reason: "Use a."), b: B }
      enum E { X Y } input I { y: Int = 2 } type B { c(d: Int): Int }
    `;
    expect(schemaChanges(before, after)).toEqual({
      breaking: [],
      announced: [],
      dangerous: [
        "Query.a arg x has changed defaultValue from 1 to 2.",
        "Y was added to enum type E.",
        "I.y has changed its default from 1 to 2.",
      ],
      deprecated: ["Query.old is deprecated: Use a."],
      added: ["Query.a(j): Int was added.", "Query.b: B was added.", "B was added."],
    });
  });
});

describe("the changelog of the schema", () => {
  const page = "# Changes\n\nHow.\n";
  const release = {
    version: "0.2.0",
    date: "2026-02-01",
    before: "type Query { a: Int }",
    after: "type Query { a: Int, b: Int }",
  };
  const section = "## 0.2.0, 2026-02-01\n\n### Added\n\n- `Query.b: Int` was added.";

  it("has the newest release first", () => {
    const older = "## 0.1.0, 2026-01-01\n\nNothing has changed.";
    expect(withRelease(`${page}\n${older}\n`, release)).toBe(`# Changes\n\nHow.\n\n${section}\n\n${older}\n`);
  });

  it("has a release once, as it was told last", () => {
    const once = withRelease(page, release);
    expect(withRelease(once, release)).toBe(once);
  });

  it("takes a release that breaks clients only under a version that says so", () => {
    const removal = { ...release, after: "type Query { b: Int }" };
    const since = (last: string, version: string) => () =>
      withRelease(`${page}\n## ${last}, 2026-01-01\n`, { ...removal, version });
    expect(since("0.2.0", "0.2.1")).toThrow(
      /^schema.graphql: expected what the last release has .*\n- Query.a was removed\.\n/,
    );
    expect(since("1.0.0", "1.1.0")).toThrow("Query.a was removed");
    expect(since("0.2.0", "0.3.0")()).toContain("### Breaking\n\n- `Query.a` was removed.");
    expect(since("1.3.0", "2.0.0")()).toContain("### Breaking");
    expect(withRelease(page, removal)).toContain("### Breaking");
  });

  it("takes a version of three numbers", () => {
    expect(() => withRelease(page, { ...release, version: "next" })).toThrow(
      'version: expected three numbers such as 0.2.0, got "next"',
    );
  });
});
