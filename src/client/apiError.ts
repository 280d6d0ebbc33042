/** Why a request came to nothing: refused by the server, or not answered at all. */

export interface ApiErrorDetail {
  /**
   * For programs: that of the server (INVALID_INPUT, NOT_FOUND, CONFLICT, UNAVAILABLE, UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED,
   * GRAPHQL_VALIDATION_FAILED ...), UNREACHABLE where none answered, BAD_ANSWER where what answered is not this API.
   */
  readonly code: string;
  /** Path to the input field, for example `input.fields[2].column`. */
  readonly field?: string;
  readonly expected?: string;
  readonly received?: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Line in a faulty file, the header being line 1. */
  readonly line?: number;
  /** The request in the server's log. */
  readonly requestId?: string;
  /** HTTP status; absent where there was no answer. */
  readonly status?: number;
}

export class ApiError extends Error {
  readonly code: string;
  readonly field: string | undefined;
  readonly hint: string | undefined;
  readonly requestId: string | undefined;
  /** All that is known, for those who show it. */
  readonly detail: ApiErrorDetail;

  constructor(message: string, detail: ApiErrorDetail, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ApiError";
    this.code = detail.code;
    this.field = detail.field;
    this.hint = detail.hint;
    this.requestId = detail.requestId;
    this.detail = detail;
  }
}

/** What a server says of an error: in `extensions` of a GraphQL error, or in a member of `userErrors`. */
export interface ServerError {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** The first of some errors of one answer. */
export function apiErrorOf(
  [error]: readonly [ServerError, ...ServerError[]],
  { status, requestId }: Pick<ApiErrorDetail, "status" | "requestId">,
): ApiError {
  const { code, field, expected, received, hint, line } = error.extensions ?? {};
  const text = { field, expected, received, hint };
  const given = Object.entries(text).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return new ApiError(error.message, {
    code: typeof code === "string" ? code : "INTERNAL",
    ...Object.fromEntries(given),
    ...(typeof line === "number" ? { line } : {}),
    ...(requestId === undefined ? {} : { requestId }),
    ...(status === undefined ? {} : { status }),
  });
}
