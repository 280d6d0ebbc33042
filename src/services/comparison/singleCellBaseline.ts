/** What a run on all cells is held against: the same training on one cell alone, with plain towers. */
import type { Cell } from "../../data/onlyCell.ts";
import { ConflictError } from "../../errors.ts";
import type { HeadSpec } from "../../model/spec.ts";
import type { NewRun } from "../../store/queueRun.ts";
import type { Run } from "../../store/rows.ts";
import { equalLosses } from "../../training/lossBalancing/lossBalancing.ts";
import { configurationHash } from "../run/configurationHash.ts";
import { engineOf, headOf, hyperParametersOf } from "../stored.ts";

/**
 * A TRAIN run with the run's dataset, backbone, numbers, seed, engine and, unless it is a search (whose epochs are other
 * ones), budget. Its towers have the widths of the run's own layers above the backbone. The cell of a conditional task has no
 * condition in its model: it is trained on the label of both, over all rows.
 */
export function singleCellBaseline(run: Run, cell: Cell): NewRun {
  const { datasetId, backboneName, backboneConfig, preset, seed } = run;
  const numbers = hyperParametersOf(run);
  const planned = {
    kind: "TRAIN" as const,
    datasetId,
    backboneName,
    backboneConfig,
    head: towersLike(headOf(run)),
    // With one cell its metric is the score, whatever the weights, and its loss the only one.
    hyperParameters: {
      ...numbers,
      selection: { ...numbers.selection, over: "MEAN" as const, weights: [] },
      lossBalancing: equalLosses,
    },
    seed,
    engine: engineOf(run),
    cell,
    ...(preset === null ? {} : { preset }),
    ...(run.budget === null || run.kind === "SEARCH" ? {} : { budget: run.budget }),
  };
  return { ...planned, configurationHash: configurationHash(planned) };
}

/** Throws ConflictError for a run that itself is on one cell. */
export function assertOnAllCells({ id, cell }: Run, field: string): void {
  if (cell === null) return;
  const expected = "a run on all cells";
  throw new ConflictError(`${field}: expected ${expected}, but ${id} is on one`, {
    field,
    expected,
    received: "one cell",
  });
}

function towersLike(head: HeadSpec): HeadSpec {
  if (head.kind === "TOWERS") return head;
  return { kind: "TOWERS", layers: [...head.scenarioLayers, ...head.taskLayers] };
}
