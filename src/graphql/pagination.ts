/**
 * Relay connections, the same for every list. A cursor holds the place of its row in the list, and which list in which order
 * that is, made opaque.
 */
import { InvalidInputError } from "../errors.ts";
import type { List, OrderValue, PageRequest } from "../context.ts";
import type { Resolvers } from "./generated.ts";

const mostItems = 100;

export interface PageArguments {
  readonly first: number;
  readonly after?: string | null | undefined;
}

export interface Connection<Row> {
  readonly edges: { cursor: string; node: Row }[];
  readonly nodes: Row[];
  readonly pageInfo: { hasNextPage: boolean; endCursor: string | null };
  /** Of all pages. */
  readonly count: () => Promise<number>;
}

/** Reads a page and makes a connection of it. Throws InvalidInputError for a page size or a cursor that is none. */
export async function connection<Row extends { readonly id: string }>(
  args: PageArguments,
  list: List<Row>,
): Promise<Connection<Row>> {
  const { rows, hasNextPage, values } = await list.read(pageRequest(args, list.order));
  const edges = rows.map((node, i) => ({ cursor: cursorOf(list.order, node.id, values?.[i]), node }));
  const pageInfo = { hasNextPage, endCursor: edges.at(-1)?.cursor ?? null };
  return { edges, nodes: [...rows], pageInfo, count: list.count };
}

/** The resolvers of connections. */
export const connections = {
  AuditEntryConnection: counted(),
  BatchPredictionConnection: counted(),
  DatasetConnection: counted(),
  ExperimentConnection: counted(),
  ExportConnection: counted(),
  ModelExportConnection: counted(),
  ModelConnection: counted(),
  ModelVersionConnection: counted(),
  RunConnection: counted(),
  ScenarioConnection: counted(),
  TaskConnection: counted(),
  TokenConnection: counted(),
  TrialConnection: counted(),
  WebhookConnection: counted(),
  WebhookDeliveryConnection: counted(),
} satisfies Resolvers;

/** Nothing is counted before it is asked for. */
function counted() {
  return { totalCount: ({ count }: { count(): Promise<number> }): Promise<number> => count() };
}

function pageRequest({ first, after }: PageArguments, order: string): PageRequest {
  if (first < 1 || first > mostItems) throw invalid("first", `1 to ${mostItems}`, String(first));
  if (after === null || after === undefined) return { first };
  const place = placeOf(after);
  if (!place) throw invalid("after", "a cursor of this list", shown(after));
  if (place.order !== order) throw invalid("after", "a cursor of this list in this order", `one of "${place.order}"`);
  return { first, after: place.id, value: place.value };
}

interface Place {
  readonly order: string;
  readonly id: string;
  readonly value: OrderValue | undefined;
}

function cursorOf(order: string, id: string, value: OrderValue | undefined): string {
  return Buffer.from(JSON.stringify([order, id, value])).toString("base64url");
}

/** Undefined for what was never a cursor. */
function placeOf(cursor: string): Place | undefined {
  const parsed = parsedJson(Buffer.from(cursor, "base64url").toString("utf8"));
  if (!Array.isArray(parsed) || parsed.length !== 3) return undefined;
  const [order, id, value] = parsed as unknown[];
  const isValue = value === null || typeof value === "string" || typeof value === "number";
  return typeof order === "string" && typeof id === "string" && isValue
    ? { order, id, value: value ?? undefined }
    : undefined;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function shown(text: string): string {
  return text.length > 100 ? `"${text.slice(0, 99)}…"` : `"${text}"`;
}

function invalid(field: string, expected: string, received: string): InvalidInputError {
  return new InvalidInputError(`${field}: expected ${expected}, got ${received}`, { field, expected, received });
}
