import { readFileSync } from "node:fs";
import { buildSchema } from "graphql";
import { describe, expect, it } from "vitest";
import { anchorOf, apiReference } from "../../docs/tools/apiReference.ts";
import { typeDefs } from "../../src/graphql/schema.ts";

const page = (text: string): string => apiReference(buildSchema(text));

describe("the reference of the API", () => {
  it("says of a query what it takes, what it answers, and the role it needs", () => {
    const text = page(`
      directive @access(role: Role!) on FIELD_DEFINITION | OBJECT
      enum Role { "May read." VIEWER "May do all." ADMIN }
      type Query {
        """
        The songs, some
        of them.
        """
        songs("Page size, 1 to 100." first: Int! = 20, "Only these." filter: SongFilter = { by: [VIEWER] }): [Song!]!
          @access(role: ADMIN)
      }
      "A song."
      type Song @access(role: VIEWER) { "Of it." name: String! }
      "Which songs."
      input SongFilter { "Whose." by: [Role!] = [ADMIN] }
    `);
    expect(text).toContain(`### query songs

_Answers_ [\`[Song!]!\`](#type-song) · _role_ ADMIN

The songs, some of them.

- \`first\` \`Int!\` \`= 20\`: Page size, 1 to 100.
- \`filter\` [\`SongFilter\`](#input-songfilter) \`= {by: [VIEWER]}\`: Only these.`);
    expect(text).toContain("### type Song\n\nA song.\n\n_role_ VIEWER\n\n- **name** `String!`: Of it.");
    expect(text).toContain("- **by** [`[Role!]`](#enum-role) `= [ADMIN]`: Whose.");
    expect(text).toContain("### enum Role\n\n- `VIEWER`: May read.\n- `ADMIN`: May do all.");
  });

  it("says VIEWER where the schema names no role, and what is deprecated in favour of what", () => {
    const text = page(`type Query { "Old." a: Int @deprecated(reason: "Use b instead.") "New." b: Int }`);
    expect(text).toContain("### query a\n\n_Answers_ `Int` · _role_ VIEWER\n\n**Deprecated**: Use b instead.\n\nOld.");
  });

  it("says what an interface and a union stand for", () => {
    const text = page(`
      type Query { a: Node, b: Thing }
      interface Node { id: ID! }
      type A implements Node { id: ID! }
      type B { name: String! }
      union Thing = A | B
    `);
    expect(text).toContain("_Implemented by_ [`A`](#type-a)");
    expect(text).toContain("_Implements_ [`Node`](#interface-node)");
    expect(text).toContain("_One of_ [`A`](#type-a), [`B`](#type-b)");
  });

  it("comes out the same however the types are ordered in the schema", () => {
    const [query, a, b] = ["type Query { a: A, b: B }", "type A { b: B }", "type B { a: A }"];
    expect(page([query, a, b].join("\n"))).toBe(page([b, a, query].join("\n")));
  });
});

describe("docs/api.md", () => {
  const written = readFileSync(new URL("../../docs/api.md", import.meta.url), "utf8");

  it("is what `npm run docs` makes of schema.graphql", () => {
    const expected = page(typeDefs());
    // Not as one comparison, whose difference would be some thousand lines.
    expect(written === expected, "docs/api.md: expected the reference of this schema.graphql; run npm run docs").toBe(
      true,
    );
  });

  it("has a heading for every link, and no heading twice", () => {
    const headings = [...written.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!));
    const links = new Set([...written.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor!));
    expect([...links].filter((anchor) => !headings.includes(anchor))).toEqual([]);
    expect(headings.filter((heading, at) => headings.indexOf(heading) !== at)).toEqual([]);
  });
});
