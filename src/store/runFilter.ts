/** Which runs a list holds, and in what order they come. */
import type { Prisma } from "./client/client.ts";
import { parameterValue } from "./runParameters.ts";
import type { Combined, Conditions } from "./filters.ts";
import { containing, invalid, notNull, whereOf } from "./filters.ts";
import type { OrderDirection } from "./page.ts";
import type { RunKind, RunState, Split } from "./rows.ts";

type Maybe<Value> = Value | null | undefined;

export interface RunFilter extends Combined<RunFilter> {
  readonly state?: Maybe<RunState>;
  readonly states?: Maybe<readonly RunState[]>;
  readonly kind?: Maybe<RunKind>;
  readonly kinds?: Maybe<readonly RunKind[]>;
  /** Its id. */
  readonly dataset?: Maybe<string>;
  readonly backbone?: Maybe<string>;
  readonly experiment?: Maybe<string>;
  readonly trial?: Maybe<string>;
  readonly engine?: Maybe<string>;
  readonly preset?: Maybe<string>;
  readonly seed?: Maybe<number>;
  /** This time or later. */
  readonly createdAfter?: Maybe<Date>;
  readonly createdBefore?: Maybe<Date>;
  readonly finishedAfter?: Maybe<Date>;
  readonly finishedBefore?: Maybe<Date>;
  readonly tag?: Maybe<TagFilter>;
  readonly parameter?: Maybe<ParameterFilter>;
  readonly metric?: Maybe<MetricFilter>;
  /** Of the note. */
  readonly text?: Maybe<string>;
}

export interface TagFilter {
  readonly key: string;
  readonly value?: Maybe<string>;
}

interface Bounds {
  readonly gt?: Maybe<number>;
  readonly gte?: Maybe<number>;
  readonly lt?: Maybe<number>;
  readonly lte?: Maybe<number>;
}

export interface ParameterFilter extends Bounds {
  readonly path: string;
  readonly equals?: unknown;
  readonly in?: Maybe<readonly unknown[]>;
}

export interface MetricFilter extends Bounds {
  readonly name: string;
  readonly split: Split;
  /** Keys; with one of them it is about cells, without about their mean. */
  readonly scenario?: Maybe<string>;
  readonly task?: Maybe<string>;
}

export interface RunOrder {
  readonly field: "CREATED_AT" | "FINISHED_AT" | "METRIC";
  readonly direction: OrderDirection;
  /** METRIC only. */
  readonly metric?: Maybe<{ readonly name: string; readonly split: Split }>;
}

type Where = Prisma.ModelRunWhereInput;

const deepestList = 5;

/** Throws InvalidInputError. */
export function runWhere(filter: RunFilter): Where {
  return whereOf<RunFilter, Where>(filter, conditions);
}

export function tagWhere({ key, value }: TagFilter): { readonly some: { key: string; value?: string } } {
  return { some: { key, ...(typeof value === "string" ? { value } : {}) } };
}

const conditions: Conditions<RunFilter, Where> = {
  state: (state) => ({ state }),
  states: (states) => ({ state: { in: [...states] } }),
  kind: (kind) => ({ kind }),
  kinds: (kinds) => ({ kind: { in: [...kinds] } }),
  dataset: (datasetId) => ({ datasetId }),
  backbone: (backboneName) => ({ backboneName }),
  experiment: (experimentId) => ({ trial: { is: { experimentId } } }),
  trial: (trialId) => notNull("trialId", trialId),
  engine: (engine) => ({ engine }),
  preset: (preset) => notNull("preset", preset),
  seed: (seed) => ({ seed }),
  createdAfter: (gte) => ({ createdAt: { gte } }),
  createdBefore: (lt) => ({ createdAt: { lt } }),
  finishedAfter: (gte) => notNull("finishedAt", { gte }),
  finishedBefore: (lt) => notNull("finishedAt", { lt }),
  tag: (tag) => ({ tags: tagWhere(tag) }),
  parameter: (parameter, field) => ({ parameters: { some: parameterWhere(parameter, field) } }),
  metric: metricWhere,
  text: (text, field) => ({ note: containing(text, field) }),
};

function parameterWhere({ path, equals, in: among, ...bounds }: ParameterFilter, field: string) {
  const is = (value: unknown, at: string): Prisma.RunParameterWhereInput => {
    const stored = isShallow(value) ? parameterValue(value) : undefined;
    if (stored) return stored.text === null ? { number: stored.number } : { text: stored.text };
    const received =
      value === null ? "null" : Array.isArray(value) ? "a list nested deeper" : `a value of type ${typeof value}`;
    throw invalid(at, `a number, a text, a boolean, or a list at most ${deepestList} deep`, received);
  };
  return {
    path,
    AND: [
      ...(equals === undefined ? [] : [is(equals, `${field}.equals`)]),
      ...(among ? [{ OR: among.map((value, i) => is(value, `${field}.in[${i}]`)) }] : []),
      ...(hasBounds(bounds) ? [{ number: within(bounds) }] : []),
    ],
  };
}

function metricWhere({ name, split, scenario, task, ...bounds }: MetricFilter): Where {
  const value = within(bounds);
  if (!scenario && !task) return { summaries: { some: { name, split, value } } };
  const cell = { scenarioKey: scenario ?? undefined, taskKey: task ?? undefined };
  return { metrics: { some: { epoch: null, name, split, ...cell, value: hasBounds(bounds) ? value : { not: null } } } };
}

/** Deep enough for any configuration, and no strain for whoever goes through it. */
function isShallow(value: unknown, depth = 0): boolean {
  if (value === null || typeof value !== "object") return true;
  return depth < deepestList && Object.values(value).every((member) => isShallow(member, depth + 1));
}

const hasBounds = (bounds: Bounds): boolean => Object.values(bounds).some((bound) => typeof bound === "number");

function within({ gt, gte, lt, lte }: Bounds) {
  return { gt: gt ?? undefined, gte: gte ?? undefined, lt: lt ?? undefined, lte: lte ?? undefined };
}
