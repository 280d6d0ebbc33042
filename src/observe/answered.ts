/** What is known of an HTTP request once it has been answered: for the log and the metrics. */

export interface OperationSummary {
  /** As the client calls it: anything. */
  readonly name: string | null;
  readonly type: "query" | "mutation" | "subscription";
  /** As the limits count it. */
  readonly cost: number;
}

export interface Answered {
  readonly requestId: string;
  readonly method: string;
  /** The route, not the raw URL: one of a few. */
  readonly path: string;
  /** 0 where the connection ended before an answer. */
  readonly status: number;
  readonly durationMs: number;
  /** Id of the token; empty where none was needed or given. */
  readonly actor: string;
  /** Absent where the request was no GraphQL, or was refused before an operation was found in it. */
  readonly operation?: OperationSummary;
  /** Of the errors of the answer, in order; empty where it has none. */
  readonly errorCodes: readonly string[];
  /** Of a GraphQL operation; null where they were not counted. */
  readonly sqlStatements: number | null;
}
