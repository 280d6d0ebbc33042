/** The operations of generated.ts as a table by name, and their types: what goes in, what comes out. */
import type { DocumentTypeDecoration } from "@graphql-typed-document-node/core";
import * as generated from "./generated.ts";

/** The text of an operation that knows the types of its result and its variables. */
export type TypedDocument<Result, Variables> = DocumentTypeDecoration<Result, Variables> & { toString(): string };

type Generated = typeof generated;
type NameOf<Key> = Key extends `${infer Name}Document` ? Uncapitalize<Name> : never;
type Documents = { [Key in keyof Generated as NameOf<Key>]: Generated[Key] };

export type OperationName = Exclude<keyof Documents, "runProgress">;
export type VariablesOf<Name extends OperationName> =
  Documents[Name] extends DocumentTypeDecoration<unknown, infer Variables> ? Variables : never;
type DataOf<Name extends keyof Documents> =
  Documents[Name] extends DocumentTypeDecoration<infer Data, never> ? Data : never;

/** Every operation asks for one field. Of a mutation's answer, what it has made or changed is there: a refusal is thrown. */
export type ResultOf<Name extends OperationName> = Done<DataOf<Name>[keyof DataOf<Name>]>;
type Done<Field> = Field extends { readonly userErrors: unknown }
  ? { readonly [Member in Exclude<keyof Field, "userErrors">]: Made<Field[Member]> }
  : Field;
type Made<Value> = Extract<Value, object> extends never ? Value : NonNullable<Value>;

export type RunEvent = DataOf<"runProgress">["runProgress"];

/** Operations that answer a page of a connection, and what they list. */
export type ConnectionName = {
  [Name in OperationName]: ResultOf<Name> extends { readonly nodes: readonly unknown[] } ? Name : never;
}[OperationName];
export type NodeOf<Name extends ConnectionName> =
  ResultOf<Name> extends { readonly nodes: readonly (infer Node)[] } ? Node : never;

/** Mutations that take an idempotency key. */
type KeyedName = {
  [Name in MutationName]: VariablesOf<Name> extends { readonly input: infer Input }
    ? "idempotencyKey" extends keyof Input
      ? Name
      : never
    : never;
}[MutationName];
type MutationName = {
  [Name in OperationName]: DataOf<Name>[keyof DataOf<Name>] extends { readonly userErrors: unknown } ? Name : never;
}[OperationName];

/** They are all there, and no others: the compiler checks it. */
const keyed: Readonly<Record<KeyedName, true>> = {
  addPromotionRule: true,
  createExperiment: true,
  createModelVersion: true,
  createToken: true,
  createWebhook: true,
  extendModel: true,
  exportMetrics: true,
  exportModel: true,
  exportPredictions: true,
  exportRuns: true,
  predictBatch: true,
  pruneModel: true,
  redeliverWebhook: true,
  registerDataset: true,
  registerModel: true,
  registerScenario: true,
  registerTask: true,
  replayRun: true,
  testWebhook: true,
  trainBaselines: true,
  trainModel: true,
};

const documents = Object.fromEntries(
  Object.entries(generated)
    .filter(([key]) => key.endsWith("Document"))
    .map(([key, document]) => [`${key[0]!.toLowerCase()}${key.slice(1, -"Document".length)}`, String(document)]),
);

export const runProgressText = documents["runProgress"]!;
/** Texts by name. */
export const operations = Object.fromEntries(
  Object.entries(documents).filter(([name]) => name !== "runProgress"),
) as Readonly<Record<OperationName, string>>;

/** The variables with an idempotency key, if the operation takes one and there is none. */
export function withKey(name: string, variables: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (!(name in keyed)) return variables;
  const input = variables["input"] as Readonly<Record<string, unknown>> | undefined;
  return { ...variables, input: { ...input, idempotencyKey: input?.["idempotencyKey"] ?? crypto.randomUUID() } };
}

/** Whether doing it twice is as doing it once. */
export function isRepeatable(document: string, variables: Readonly<Record<string, unknown>>): boolean {
  const input = variables["input"] as Readonly<Record<string, unknown>> | undefined;
  return !/^\s*mutation\b/m.test(document) || typeof input?.["idempotencyKey"] === "string";
}
