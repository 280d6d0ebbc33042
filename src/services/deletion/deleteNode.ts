/** Deletes what is not wanted any more, and restores it. */
import { z } from "zod";
import type { DeletableRow } from "../../store/deletion.ts";
import type { Installation } from "../installation.ts";
import { parseInput } from "../parseInput.ts";
import { withField } from "../withField.ts";

const which = z.strictObject({ id: z.string() });

/** Throws NotFoundError, or ConflictError where it, or work on it, has not ended. */
export async function deleteNode({ store }: Pick<Installation, "store">, input: unknown): Promise<DeletableRow> {
  const { id } = parseInput(which, input, "input");
  return withField({ id: "input.id" }, () => store.deletion.delete(id));
}

/** Throws NotFoundError. */
export async function restoreNode({ store }: Pick<Installation, "store">, input: unknown): Promise<DeletableRow> {
  const { id } = parseInput(which, input, "input");
  return withField({ id: "input.id" }, () => store.deletion.restore(id));
}
