/** Runs against runs: what differs per cell, and whether it is more than noise. */
import { z } from "zod";
import { ConflictError, NotFoundError } from "../../errors.ts";
import type { Dataset, Run } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import type { Comparer } from "./comparer.ts";
import { compareCells } from "./compareCells.ts";
import type { ComparedCellRow } from "./compareCells.ts";
import type { Installation } from "../installation.ts";
import { parseInput, refusal } from "../parseInput.ts";
import { protocolOf } from "./protocolOf.ts";
import type { Protocol } from "./protocolOf.ts";
import { repetitionOf } from "./seedSpreads.ts";
import { cellOf, inSpecOrder, type SplitWord } from "../stored.ts";

export interface CompareInput {
  /** Ids of runs that differ in the seed alone. */
  readonly baseline: readonly string[];
  readonly candidate: readonly string[];
  readonly split: SplitWord;
}

export interface Comparison {
  readonly baseline: Run[];
  readonly candidate: Run[];
  readonly split: SplitWord;
  readonly protocol: Protocol;
  /** Row by row over the same predictions; otherwise from the stored figures. */
  readonly paired: boolean;
  /** In the dataset's order. */
  readonly cells: ComparedCellRow[];
}

const ids = z.array(z.string()).min(1).max(20);

/**
 * Throws InvalidInputError, NotFoundError with the path of the id, and ConflictError for a run that has not SUCCEEDED,
 * for runs of a side that are no repetitions of each other, and where the protocols of two runs differ.
 */
export async function compareRuns(
  { store }: Pick<Installation, "store">,
  comparer: Comparer,
  input: CompareInput,
): Promise<Comparison> {
  const { split } = input;
  if (split === "train") throw refusal("split", "VALIDATION or TEST", "TRAIN");
  const sides = {
    baseline: parseInput(ids, input.baseline, "baseline"),
    candidate: parseInput(ids, input.candidate, "candidate"),
  };
  const runs = await runsOf(store, sides);
  assertRepetitions("baseline", runs.baseline);
  assertRepetitions("candidate", runs.candidate);
  const datasets = await datasetsOf(store, [...runs.baseline, ...runs.candidate]);
  const protocol = sharedProtocol(runs, datasets);
  const first = runs.baseline[0]!;
  const dataset = datasets.get(first.datasetId)!;
  const only = cellOf(first);
  const counts = inSpecOrder(await store.datasets.countsByIds([dataset.id]), dataset).filter(
    (count) => count.split === split && (!only || (count.scenarioKey === only.scenario && count.taskKey === only.task)),
  );
  const cells = counts.map((count) => ({ ...count, ...runs }));
  const { paired, compared } = await compareCells(store, comparer, { cells, datasets, split });
  return { ...runs, split, protocol, paired, cells: compared };
}

type Sides<T> = Readonly<Record<"baseline" | "candidate", T[]>>;

/** In the order of their ids, so that the order of a request does not matter. */
async function runsOf({ runs }: Store, sides: Sides<string>): Promise<Sides<Run>> {
  const asked = [...sides.baseline, ...sides.candidate];
  const found = new Map((await runs.byIds(asked)).map((run) => [run.id, run]));
  const places = (["baseline", "candidate"] as const).flatMap((side) =>
    sides[side].map((id, index) => ({ id, field: `${side}[${index}]` })),
  );
  places.forEach(({ id, field }, place) => {
    const run = found.get(id);
    if (!run) {
      const expected = "the id of a run";
      throw new NotFoundError(`${field}: expected ${expected}, but there is none with the id ${id}`, {
        field,
        expected,
        received: id,
      });
    }
    if (run.state !== "SUCCEEDED")
      throw conflict(field, "a run in state SUCCEEDED", run.state, `${id} is ${run.state}`);
    if (asked.indexOf(id) < place) throw refusal(field, "each run once", `${id} again`);
  });
  const inOrder = (side: readonly string[]): Run[] => side.toSorted().map((id) => found.get(id)!);
  return { baseline: inOrder(sides.baseline), candidate: inOrder(sides.candidate) };
}

function assertRepetitions(side: string, runs: readonly Run[]): void {
  const expected = "runs that differ in the seed alone";
  const [first, ...others] = runs;
  for (const run of others) {
    if (run.configurationHash === "" || run.configurationHash !== first!.configurationHash)
      throw conflict(side, expected, "other configurations", `${first!.id} and ${run.id} have other configurations`);
  }
  for (const [index, run] of runs.entries()) {
    const same = runs.slice(0, index).find((other) => repetitionOf(other) === repetitionOf(run));
    if (!same) continue;
    const what = run.parentRunId === null ? "the same weights" : "the same search";
    throw conflict(side, expected, what, `${same.id} and ${run.id} have ${what}`);
  }
}

async function datasetsOf({ datasets }: Store, runs: readonly Run[]): Promise<ReadonlyMap<string, Dataset>> {
  const rows = await datasets.byIds([...new Set(runs.map(({ datasetId }) => datasetId))]);
  return new Map(rows.map((dataset) => [dataset.id, dataset]));
}

/** Of all runs; throws where one has another. */
function sharedProtocol({ baseline, candidate }: Sides<Run>, datasets: ReadonlyMap<string, Dataset>): Protocol {
  const protocolFor = (run: Run): Protocol => protocolOf(run, datasets.get(run.datasetId)!);
  const [first, ...others] = baseline;
  const shared = protocolFor(first!);
  for (const [side, run] of [
    ...others.map((run) => ["baseline", run] as const),
    ...candidate.map((run) => ["candidate", run] as const),
  ]) {
    const other = protocolFor(run);
    if (other.fingerprint === shared.fingerprint) continue;
    const differences = shared.parts.flatMap(({ name: part, value }, index) => {
      const others = other.parts[index]!.value;
      return value === others ? [] : [{ part, baseline: value, candidate: others }];
    });
    const parts = differences.map(({ part }) => part).join(", ");
    const message = `${side}: expected runs measured under one protocol, but ${first!.id} and ${run.id} differ in ${parts}`;
    const expected = `the protocol of ${first!.id}`;
    throw new ConflictError(message, { field: side, expected, received: `another in ${parts}`, differences });
  }
  return shared;
}

function conflict(field: string, expected: string, received: string, but: string): ConflictError {
  return new ConflictError(`${field}: expected ${expected}, but ${but}`, { field, expected, received });
}
