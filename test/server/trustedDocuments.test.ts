import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSchema } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Refusal } from "../../src/server/refusal.ts";
import { createTrustedDocuments } from "../../src/server/trustedDocuments.ts";
import type { DocumentRequest, TrustedDocuments } from "../../src/server/trustedDocuments.ts";

const schema = buildSchema("type Query { a: Int, b: Int }");
const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
const persisted = (sha256Hash: unknown) => ({ persistedQuery: { version: 1, sha256Hash } });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "autoifs-documents-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function documents(content: unknown, only = false): Promise<TrustedDocuments> {
  const file = join(folder, "documents.json");
  await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
  return createTrustedDocuments({ file, only, schema });
}

function refusal(trusted: TrustedDocuments, request: DocumentRequest): unknown {
  try {
    return trusted.resolve(request);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return `${error.status} ${error.code} ${error.message}`;
  }
}

describe("a trusted document", () => {
  it("is named by its id", async () => {
    const trusted = await documents({ one: "{ a }" });
    expect(trusted.resolve({ documentId: "one", variables: {} })).toStrictEqual({ query: "{ a }", variables: {} });
  });

  it("is named by the hash of its text, whatever its id is", async () => {
    for (const id of ["one", `sha256:${hash("{ a }")}`]) {
      const trusted = await documents({ [id]: "{ a }" });
      expect(trusted.resolve({ documentId: `sha256:${hash("{ a }")}` })).toEqual({ query: "{ a }" });
      expect(trusted.resolve({ extensions: { ...persisted(hash("{ a }")), x: 1 } })).toEqual({
        query: "{ a }",
        extensions: { x: 1 },
      });
    }
  });

  it("is named in a URL as in a body", async () => {
    const trusted = await documents({ one: "{ a }" });
    const query = "query=%7B+a+%7D";
    expect(trusted.resolveSearch("?documentId=one&variables=%7B%7D")).toBe(`?variables=%7B%7D&${query}`);
    const extensions = encodeURIComponent(JSON.stringify(persisted(hash("{ a }"))));
    expect(trusted.resolveSearch(`?extensions=${extensions}`)).toBe(`?${query}&extensions=%7B%7D`);
  });

  it("is not needed for other requests unless these are the only ones", async () => {
    const trusted = await documents({ one: "{ a }" });
    expect(trusted.resolve({ query: "{ b }" })).toEqual({ query: "{ b }" });
    expect(trusted.resolve({ query: "{ b }", extensions: persisted(hash("{ b }")) })).toMatchObject({ query: "{ b }" });
    const none = createTrustedDocuments({ only: false, schema });
    const request = { query: "{ b }", extensions: persisted(hash("{ b }")) };
    expect(none.resolve(request)).toBe(request);
    expect(none.resolveSearch("?query={b}&x")).toBe("?query={b}&x");
  });
});

describe("where only trusted documents are taken", () => {
  it("each may be sent as a text too", async () => {
    const trusted = await documents({ one: "{ a }" }, true);
    expect(trusted.resolve({ query: "{ a }" })).toEqual({ query: "{ a }" });
    expect(trusted.resolve({ documentId: "one" })).toEqual({ query: "{ a }" });
  });

  it("any other is refused, with its hash or without, in a body or a URL, and so is none", async () => {
    const trusted = await documents({ one: "{ a }" }, true);
    const refused =
      "400 DOCUMENT_NOT_TRUSTED query: expected one of the trusted documents of this server, by its id, its hash or its text";
    for (const query of ["{ b }", "{a}", undefined, null, 7, ["{ a }"]])
      expect(refusal(trusted, { query })).toBe(refused);
    expect(refusal(trusted, { query: "{ b }", extensions: persisted(hash("{ b }")) })).toBe(refused);
    expect(() => trusted.resolveSearch("?query={b}")).toThrow("expected one of the trusted documents");
  });
});

describe("a request is refused", () => {
  it("that names a document which is not there; Apollo's clients hear it in their words", async () => {
    const trusted = await documents({ one: "{ a }" });
    expect(refusal(trusted, { documentId: "two" })).toBe(
      '400 PERSISTED_QUERY_NOT_FOUND documentId: expected the id of a trusted document, got "two"',
    );
    expect(refusal(trusted, { extensions: persisted(hash("{ b }")) })).toBe(
      "200 PERSISTED_QUERY_NOT_FOUND PersistedQueryNotFound",
    );
    const none = createTrustedDocuments({ only: false, schema });
    expect(refusal(none, { documentId: "one" })).toMatch(/^400 PERSISTED_QUERY_NOT_FOUND/);
  });

  it("that names two, or none that can be read", async () => {
    const trusted = await documents({ one: "{ a }" });
    expect(refusal(trusted, { documentId: "one", query: "{ a }" })).toBe(
      "400 BAD_REQUEST documentId: expected it, or a query, got both",
    );
    expect(refusal(trusted, { documentId: 1 })).toBe("400 BAD_REQUEST documentId: expected a text");
    expect(refusal(trusted, { query: "{ b }", extensions: persisted(hash("{ a }")) })).toBe(
      "400 BAD_REQUEST extensions.persistedQuery.sha256Hash: expected the hash of the query, got another",
    );
    for (const given of [persisted(7), { persistedQuery: "x" }]) {
      expect(refusal(trusted, { extensions: given })).toBe(
        "400 BAD_REQUEST extensions.persistedQuery.sha256Hash: expected a text",
      );
    }
  });

  it("by an id that only every object has", async () => {
    const trusted = await documents({ one: "{ a }" }, true);
    for (const documentId of ["__proto__", "toString", "constructor"]) {
      expect(refusal(trusted, { documentId })).toMatch(/^400 PERSISTED_QUERY_NOT_FOUND/);
    }
  });
});

describe("a file of documents is refused", () => {
  it.each([
    [
      "a document that the schema does not allow",
      { one: "{ c }" },
      'document "one": Cannot query field "c" on type "Query".',
    ],
    ["a document that cannot be read", { one: "{" }, 'document "one": Syntax Error: Expected Name, found <EOF>.'],
    ["a document that is no text", { one: 7 }, 'document "one": expected the text of a document'],
    [
      "a hash that is not the text's",
      { "sha256:00": "{ a }" },
      `document "sha256:00": expected the id sha256:${hash("{ a }")}, which`,
    ],
    ["a list", [], "expected a JSON object of documents by id"],
    ["no JSON", "{", "expected a file of JSON: "],
  ])("with %s", async (_, content, message) => {
    const escaped = message.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    await expect(documents(content)).rejects.toThrow(new RegExp(`^AUTOIFS_DOCUMENTS: .*documents\\.json: ${escaped}`));
  });

  it("that is not there", () => {
    const file = join(folder, "none.json");
    expect(() => createTrustedDocuments({ file, only: false, schema })).toThrow(
      `AUTOIFS_DOCUMENTS: ${file}: expected a file of JSON: ENOENT`,
    );
  });
});
