/** Which model a request asks for: that of a run, or by name the version that answers, and a second one to compare it with. */
import { ConflictError } from "../../errors.ts";
import type { ModelVersion, Run } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import type { ResolvedModel } from "../model/resolveModel.ts";
import { refusal } from "../parseInput.ts";
import { withField } from "../withField.ts";

export interface AskedModel {
  /** Whose model answers. */
  readonly run: Run;
  /** Null where a run was asked. */
  readonly version: ModelVersion | null;
  /** A version that is to answer the same rows in the background. */
  readonly other: OtherVersion | null;
}

export interface OtherVersion {
  readonly run: Run;
  readonly version: ModelVersion;
  readonly alias: string;
  /** True where the request is answered by the version of the alias, and not by a canary. */
  readonly isExtra: boolean;
}

/** Throws InvalidInputError unless there is one of the two, NotFoundError, ConflictError for a run without a model. */
export async function askedModel(
  { runReader, modelResolver }: Pick<Installation, "runReader" | "modelResolver">,
  { run: runId, model }: { readonly run?: string | null; readonly model?: string | null },
): Promise<AskedModel> {
  if (typeof model === "string" && typeof runId !== "string") {
    return answering(await modelResolver.resolve(model, "model"));
  }
  if (typeof runId !== "string" || typeof model === "string") {
    throw refusal("run", "either a run or a model", typeof runId === "string" ? "both" : "neither");
  }
  const run = await withField({ id: "run" }, () => runReader.get(runId));
  assertHasModel(run);
  return { run, version: null, other: null };
}

/** Throws ConflictError. */
export function assertHasModel({ id, state, checkpointHash }: Run): void {
  const isKept = (state === "FAILED" || state === "CANCELLED") && checkpointHash !== null;
  if (state === "SUCCEEDED" || isKept) return;
  const expected = "a run in state SUCCEEDED";
  const detail = { field: "run", expected, received: state };
  throw new ConflictError(`run: expected ${expected}, but ${id} is ${state}`, detail);
}

/** Of the share of the requests that two versions answer, chance picks each. */
function answering({ version, run, alias, compared }: ResolvedModel): AskedModel {
  if (alias === null || compared === null || Math.random() >= compared.share) return { run, version, other: null };
  const own = { run, version, alias };
  const second = { run: compared.run, version: compared.version, alias };
  return compared.kind === "SHADOW"
    ? { run, version, other: { ...second, isExtra: true } }
    : { run: compared.run, version: compared.version, other: { ...own, isExtra: false } };
}
