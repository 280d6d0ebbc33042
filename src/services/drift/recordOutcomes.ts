/** Tells what happened to rows that a model has answered: the labels of their tasks. */
import { z } from "zod";
import { NotFoundError } from "../../errors.ts";
import { inChunks } from "../../store/inChunks.ts";
import { assertNotDeleted } from "../../store/notDeleted.ts";
import type { Model } from "../../store/rows.ts";
import { servedRowDays } from "../../store/servedRows.ts";
import type { OutcomeState } from "../../store/servedRows.ts";
import type { Store } from "../../store/store.ts";
import type { Installation } from "../installation.ts";
import { parseInput, withoutNulls } from "../parseInput.ts";

const mostOutcomes = 10_000;

const outcomesInput = z.strictObject({
  model: z.string(),
  outcomes: z
    .array(
      z.strictObject({
        id: z.string().min(1).max(255),
        task: z.string(),
        label: z.union([z.literal(0), z.literal(1)], { error: "0 or 1" }),
      }),
    )
    .min(1)
    .max(mostOutcomes),
});

export interface OutcomeError {
  /** From 0. */
  readonly index: number;
  readonly id: string;
  readonly taskKey: string;
  readonly code: "NOT_FOUND" | "CONFLICT";
  readonly message: string;
}

export interface RecordedOutcomes {
  /** Those that were new. */
  readonly recorded: number;
  /** Those that were there already with the same label. */
  readonly unchanged: number;
  readonly errors: OutcomeError[];
}

/**
 * Outcomes stand or fall one by one. Throws InvalidInputError for what is none, NotFoundError for the model, ConflictError where it
 * is deleted; then nothing is recorded.
 */
export async function recordOutcomes(
  { store }: Pick<Installation, "store">,
  input: unknown,
): Promise<RecordedOutcomes> {
  const { model: name, outcomes } = parseInput(outcomesInput, withoutNulls(input), "input");
  const model = await modelOf(store, name);
  assertNotDeleted(model, "model", "input.model");
  const states: OutcomeState[] = [];
  for (const some of inChunks(outcomes)) {
    const told = some.map(({ id, ...outcome }) => ({ rowId: id, ...outcome }));
    states.push(...(await store.served.recordOutcomes(model.id, told)));
  }
  return {
    recorded: states.filter((state) => state === "RECORDED").length,
    unchanged: states.filter((state) => state === "SAME").length,
    errors: states.flatMap((state, index) => {
      const { id, task: taskKey, label } = outcomes[index]!;
      const fault = faultOf(state, { model: model.key, id, taskKey, label });
      return fault ? [{ index, id, taskKey, ...fault }] : [];
    }),
  };
}

interface Told {
  readonly model: string;
  readonly id: string;
  readonly taskKey: string;
  readonly label: number;
}

function faultOf(
  state: OutcomeState,
  { model, id, taskKey, label }: Told,
): Pick<OutcomeError, "code" | "message"> | null {
  switch (state) {
    case "RECORDED":
    case "SAME":
      return null;
    case "OTHER_LABEL":
      return {
        code: "CONFLICT",
        message: `row ${id}: expected label ${1 - label} for ${taskKey} as before, got ${label}`,
      };
    case "UNKNOWN_ROW":
      return {
        code: "NOT_FOUND",
        message: `row ${id}: expected the id of a row that ${model} has answered in the last ${servedRowDays} days, but there is none`,
      };
    case "UNKNOWN_TASK":
      return {
        code: "NOT_FOUND",
        message: `row ${id}: expected a task that ${model} has answered it for, got ${taskKey}`,
      };
    default:
      return state satisfies never;
  }
}

async function modelOf({ models }: Pick<Store, "models">, idOrKey: string): Promise<Model> {
  const [model] = [...(await models.byKeys([idOrKey])), ...(await models.byIds([idOrKey]))];
  if (model) return model;
  const [field, expected] = ["input.model", "the id or key of a model"];
  throw new NotFoundError(`${field}: expected ${expected}, but there is none with ${idOrKey}`, {
    field,
    expected,
    received: idOrKey,
  });
}
