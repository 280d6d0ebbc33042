/** Queues the single-cell trainings that tell which cells of a run lose by being trained together. */
import { z } from "zod";
import { backbonePlugin } from "../../plugin/registry.ts";
import { assertNotDeleted } from "../../store/notDeleted.ts";
import type { Run } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import { parseInput } from "../parseInput.ts";
import { usableEngine } from "../run/runSettings.ts";
import { assertOnAllCells, singleCellBaseline } from "./singleCellBaseline.ts";
import { engineOf, inSpecOrder } from "../stored.ts";
import { withField } from "../withField.ts";

export interface Baselines {
  /** One for each cell that has training rows, in the dataset's order. */
  readonly runs: Run[];
  /** How many of them are new. */
  readonly queued: number;
}

/**
 * A baseline that was made before, and has not FAILED or been CANCELLED, is taken again. Throws InvalidInputError,
 * NotFoundError for the run or its plugin, ConflictError for a run that is on one cell, UnavailableError for its engine.
 */
export async function trainBaselines({ store, plugins }: Installation, input: unknown): Promise<Baselines> {
  const { run: id } = parseInput(z.strictObject({ run: z.string() }), input, "input");
  const run = await withField({ id: "input.run" }, () => store.runs.get(id));
  assertOnAllCells(run, "input.run");
  assertNotDeleted(run, "run", "input.run");
  await withField({ "backbone.name": "input.run" }, async () => backbonePlugin(plugins, run.backboneName));
  usableEngine(engineOf(run), "input.run");
  const dataset = await store.datasets.get(run.datasetId);
  assertNotDeleted(dataset, "dataset", "input.run");
  const counts = inSpecOrder(await store.datasets.countsByIds([dataset.id]), dataset);
  const cells = counts.filter(({ split, rows }) => split === "train" && rows > 0);
  const made = await store.runs.findOrCreate(
    cells.map(({ scenarioKey, taskKey }) => singleCellBaseline(run, { scenario: scenarioKey, task: taskKey })),
  );
  return { runs: made.map((each) => each.run), queued: made.filter(({ created }) => created).length };
}
