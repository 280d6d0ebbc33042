/**
 * Documents that were written down beforehand: clients name one instead of sending its text, by `documentId` or, as Apollo's
 * clients do, by the hash in `extensions.persistedQuery`. Where only these are trusted, no other is taken from anybody.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { GraphQLError, parse, validate } from "graphql";
import type { GraphQLSchema } from "graphql";
import { InvalidInputError } from "../errors.ts";
import { Refusal } from "./refusal.ts";

/** What of a request says which document is meant, unchecked. */
export interface DocumentRequest {
  readonly query?: unknown;
  readonly documentId?: unknown;
  readonly extensions?: unknown;
}

export interface TrustedDocuments {
  /** The request with the document's text as its `query`, and without what named it. Throws Refusal. */
  resolve<R extends DocumentRequest>(request: R): Omit<R, "documentId">;
  /** The same for the parameters of a URL, from the `?` on. */
  resolveSearch(search: string): string;
}

export interface TrustedDocumentsOptions {
  /** JSON: an object of texts by id, any word or `sha256:` and the text's hash. Without it there are none. */
  readonly file?: string;
  /** Take no others. */
  readonly only: boolean;
  readonly schema: GraphQLSchema;
}

/** Reads and checks the file. Throws InvalidInputError that names the document at fault. */
export function createTrustedDocuments({ file, only, schema }: TrustedDocumentsOptions): TrustedDocuments {
  const byId = file === undefined ? new Map<string, string>() : readDocuments(file, schema);
  const byHash = new Map([...byId.values()].map((text) => [hashOf(text), text]));

  const named = (documentId: unknown): string => {
    if (typeof documentId !== "string") throw new Refusal(400, "documentId: expected a text");
    const text = byId.get(documentId) ?? byHash.get(/^sha256:(.*)$/s.exec(documentId)?.[1]?.toLowerCase() ?? "");
    if (text !== undefined) return text;
    const message = `documentId: expected the id of a trusted document, got ${shortened(documentId)}`;
    throw new Refusal(400, message, "PERSISTED_QUERY_NOT_FOUND");
  };

  const hashed = (hash: string, query: unknown): unknown => {
    const given = isGiven(query) ? query : undefined;
    if (given !== undefined && (typeof given !== "string" || hashOf(given) !== hash)) {
      throw new Refusal(400, "extensions.persistedQuery.sha256Hash: expected the hash of the query, got another");
    }
    const text = byHash.get(hash) ?? given;
    if (text !== undefined) return text;
    // In the words, and with the status, by which Apollo's clients know that they have to send the text.
    throw new Refusal(200, "PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND");
  };

  const textOf = ({ query, documentId, extensions }: DocumentRequest): unknown => {
    if (isGiven(documentId)) {
      if (isGiven(query)) throw new Refusal(400, "documentId: expected it, or a query, got both");
      return named(documentId);
    }
    const hash = persistedHash(extensions);
    return hash === undefined ? query : hashed(hash, query);
  };

  const resolve = <R extends DocumentRequest>(request: R): Omit<R, "documentId"> => {
    if (file === undefined && !isGiven(request.documentId)) return request;
    const query = textOf(request);
    if (only && !(typeof query === "string" && byHash.has(hashOf(query)))) {
      const message = "query: expected one of the trusted documents of this server, by its id, its hash or its text";
      throw new Refusal(400, message, "DOCUMENT_NOT_TRUSTED");
    }
    const { documentId: _, ...rest } = request;
    return { ...rest, query, ...("extensions" in rest && { extensions: withoutPersistedQuery(rest.extensions) }) };
  };

  return {
    resolve,

    resolveSearch(search) {
      const parameters = new URLSearchParams(search);
      const extensions = parsedParameter(parameters.get("extensions"));
      const request = { query: parameters.get("query"), documentId: parameters.get("documentId"), extensions };
      const resolved = resolve(request);
      if (resolved === request) return search;
      parameters.delete("documentId");
      parameters.delete("extensions");
      if (typeof resolved.query === "string") parameters.set("query", resolved.query);
      if (isGiven(resolved.extensions)) parameters.set("extensions", JSON.stringify(resolved.extensions));
      return `?${parameters.toString()}`;
    },
  };
}

/** Texts by id, each of them valid. */
function readDocuments(file: string, schema: GraphQLSchema): ReadonlyMap<string, string> {
  const documents = parsedFile(file);
  if (!isRecord(documents)) throw invalid(`${file}: expected a JSON object of documents by id`);
  return new Map(
    Object.entries(documents).map(([id, text]) => {
      const fault = faultOf(id, text, schema);
      if (fault !== undefined) throw invalid(`${file}: document "${id}": ${fault}`);
      return [id, text as string];
    }),
  );
}

function parsedFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw invalid(`${file}: expected a file of JSON: ${(cause as Error).message}`, cause);
  }
}

function faultOf(id: string, text: unknown, schema: GraphQLSchema): string | undefined {
  if (typeof text !== "string") return "expected the text of a document";
  const hash = hashOf(text);
  const promised = /^sha256:(.*)$/s.exec(id)?.[1];
  if (promised !== undefined && promised !== hash)
    return `expected the id sha256:${hash}, which is the hash of its text`;
  try {
    return validate(schema, parse(text))[0]?.message;
  } catch (error) {
    if (error instanceof GraphQLError) return error.message;
    throw error;
  }
}

function invalid(message: string, cause?: unknown): InvalidInputError {
  return new InvalidInputError(`AUTOIFS_DOCUMENTS: ${message}`, { field: "AUTOIFS_DOCUMENTS" }, cause);
}

/** In hexadecimal. */
function hashOf(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}

/** What Apollo's clients send; undefined where it is not that. */
function persistedHash(extensions: unknown): string | undefined {
  const persisted = isRecord(extensions) ? extensions["persistedQuery"] : undefined;
  if (!isGiven(persisted)) return undefined;
  const hash = isRecord(persisted) ? persisted["sha256Hash"] : undefined;
  if (typeof hash === "string") return hash.toLowerCase();
  throw new Refusal(400, "extensions.persistedQuery.sha256Hash: expected a text");
}

function withoutPersistedQuery(extensions: unknown): unknown {
  if (!isRecord(extensions)) return extensions;
  const { persistedQuery: _, ...rest } = extensions;
  return rest;
}

/** The JSON of a parameter; what is not JSON as it is, for whoever reads it to refuse. */
function parsedParameter(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Quoted, at most so long that it fits a message. */
function shortened(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
