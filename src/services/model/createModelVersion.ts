/** Makes the model that a run ended with the next version of a registered model. */
import { z } from "zod";
import type { ModelVersion } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import { parseInput, withoutNulls } from "../parseInput.ts";
import { withField } from "../withField.ts";

const versionInput = z.strictObject({
  model: z.string(),
  run: z.string(),
  description: z.string().max(2000).default(""),
});

export interface CreatedVersion {
  readonly version: ModelVersion;
  /** False where the run was a version of the model already. */
  readonly created: boolean;
}

/** Throws NotFoundError, or ConflictError where the run has no finished model, or one of the two is deleted. */
export async function createModelVersion(
  { store }: Pick<Installation, "store">,
  input: unknown,
): Promise<CreatedVersion> {
  const { run: runId, ...rest } = parseInput(versionInput, withoutNulls(input), "input");
  const paths = { model: "input.model", run: "input.run", id: "input.run" };
  return withField(paths, () => store.models.createVersion({ runId, ...rest }));
}
