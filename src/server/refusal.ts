/** Requests that are refused before the product sees them. */
import { HeaderMap } from "@apollo/server";
import { GraphQLError } from "graphql";
import type { GraphQLErrorExtensions } from "graphql";

export type RefusalCode =
  | "BAD_REQUEST"
  | "UNAUTHENTICATED"
  | "FORBIDDEN"
  | "RATE_LIMITED"
  | "TOO_COMPLEX"
  | "INVALID_INPUT"
  | "TIMEOUT"
  | "DOCUMENT_NOT_TRUSTED"
  | "PERSISTED_QUERY_NOT_FOUND";

export interface RefusalOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Beside the code. */
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** By an HTTP status; the body is that of a GraphQL error. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: RefusalCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(status: number, message: string, code: RefusalCode = "BAD_REQUEST", options: RefusalOptions = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = options.headers ?? {};
    this.extensions = options.extensions ?? {};
  }
}

/** The same as an error of GraphQL; `http` is read, and taken away, by whoever answers. */
export function graphqlRefusal({ message, code, status, headers, extensions }: Refusal): GraphQLError {
  const map = new HeaderMap();
  for (const [name, value] of Object.entries(headers)) map.set(name, value);
  // Apollo reads it; its type, where a second server is installed for comparison, is that one's.
  const http = { status, headers: map } as unknown as GraphQLErrorExtensions["http"];
  return new GraphQLError(message, { extensions: { ...extensions, code, http } });
}
