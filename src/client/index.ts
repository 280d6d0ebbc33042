/** The outside of the client: what `autoifs/client` exports. */
export { ApiError } from "./apiError.ts";
export type { ApiErrorDetail } from "./apiError.ts";
export { createClient } from "./client.ts";
export type { Client, OperationMethods, RequestOptions } from "./client.ts";
export type { FollowOptions } from "./follow.ts";
export type {
  ConnectionName,
  NodeOf,
  OperationName,
  ResultOf,
  RunEvent,
  TypedDocument,
  VariablesOf,
} from "./operations.ts";
export type { ClientOptions } from "./transport.ts";
// Documents, inputs and enums of the schema.
export * from "./generated.ts";
