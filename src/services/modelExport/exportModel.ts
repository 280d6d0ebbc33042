/** Begins the export of a model to a file for other programs: everything that can be checked without reading it, then the job. */
import { z } from "zod";
import { assertNotDeleted } from "../../store/notDeleted.ts";
import type { ModelExport, Run } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import { parseInput, refusal, shown, withoutNulls } from "../parseInput.ts";
import { assertHasModel } from "../prediction/askedModel.ts";
import { cellOf, manifestOf } from "../stored.ts";
import { withField } from "../withField.ts";

const exportInput = z.strictObject({
  run: z.string().optional(),
  model: z.string().optional(),
  format: z.enum(["ONNX", "TFJS"]),
  scenario: z.string().optional(),
  quantised: z.boolean(),
});

type Parts = Pick<Installation, "store" | "modelResolver">;

/**
 * Writes the export (QUEUED) and its job. Throws InvalidInputError with the path of what is wrong, NotFoundError for the run or the
 * model, ConflictError for one without a model, or that is deleted.
 */
export async function exportModel(parts: Parts, input: unknown): Promise<ModelExport> {
  const { format, scenario, quantised, ...asked } = parseInput(exportInput, withoutNulls(input), "input");
  const { run, versionId } = await askedModel(parts, asked);
  await withField({ run: "input.run" }, async () => assertHasModel(run));
  assertNotDeleted(run, "run", "input.run");
  if (scenario !== undefined) await assertScenario(parts, run, scenario);
  const wanted = { runId: run.id, versionId, format, scenario: scenario ?? null, isQuantised: quantised };
  return parts.store.modelExports.create(wanted);
}

/** Of a model the version that its name stands for now. */
async function askedModel(
  { store, modelResolver }: Parts,
  { run, model }: { readonly run?: string | undefined; readonly model?: string | undefined },
): Promise<{ readonly run: Run; readonly versionId: string | null }> {
  if (model !== undefined && run === undefined) {
    const resolved = await modelResolver.resolve(model, "input.model");
    return { run: resolved.run, versionId: resolved.version.id };
  }
  if (run === undefined || model !== undefined) {
    throw refusal("input.run", "either a run or a model", run === undefined ? "neither" : "both");
  }
  return { run: await withField({ id: "input.run" }, () => store.runs.get(run)), versionId: null };
}

async function assertScenario({ store }: Parts, run: Run, scenario: string): Promise<void> {
  const cell = cellOf(run);
  const known = cell ? [cell.scenario] : manifestOf(await store.datasets.get(run.datasetId))!.shape.scenarios;
  if (known.includes(scenario)) return;
  throw refusal("input.scenario", `one of ${known.map(shown).join(", ")}`, shown(scenario));
}
