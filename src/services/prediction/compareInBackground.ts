/** Lets a second version answer the rows of a request that has been answered, and records by how much the two differ. */
import type { Installation } from "../installation.ts";
import type { AskedModel, OtherVersion } from "./askedModel.ts";
import type { PoolAnswer } from "./modelPool.ts";
import { modelFilesOf } from "./openModel.ts";
import { answeredIndices } from "./poolMessages.ts";
import type { ModelFacts, RawRequest } from "./poolMessages.ts";

/** Rows that wait for the threads; above it nothing is done twice. */
const busy = 5_000;

/** Returns at once; nobody hears of what fails but the log. */
export function compareInBackground(
  { store, pool, trafficDifferences, log }: Pick<Installation, "store" | "pool" | "trafficDifferences" | "log">,
  asked: AskedModel,
  other: OtherVersion,
  request: RawRequest,
  answer: PoolAnswer,
): void {
  if (asked.version === null || pool.figures().waitingRows > busy) return;
  const { version } = asked;
  const [regular, second] = other.isExtra ? [version, other.version] : [other.version, version];
  pool
    .predict({
      key: other.run.id,
      files: () => modelFilesOf(store, other.run),
      // What the other cannot answer is no difference.
      request: { ...request, onRowError: "SKIP" },
      explain: false,
    })
    .then((otherAnswer) => {
      const { scenarios, taskKeys, own, others } = common(request, answer, otherAnswer);
      trafficDifferences.recordDifference({
        modelId: version.modelId,
        alias: other.alias,
        version: regular.number,
        other: second.number,
        scenarios,
        taskKeys,
        probabilities: other.isExtra ? own : others,
        otherProbabilities: other.isExtra ? others : own,
      });
    })
    .catch((error: unknown) => log.warn("rows could not be answered by a second version", { error }));
}

/** The rows and tasks that both have answered: `own` and `others` are [rows, tasks]. */
function common({ rows }: RawRequest, answer: PoolAnswer, other: PoolAnswer) {
  const taskKeys = answer.facts.tasks.filter((task) => other.facts.tasks.includes(task));
  const places = placesOf(rows.length, answer);
  const otherPlaces = placesOf(rows.length, other);
  const indices = [...places.keys()].filter((index) => otherPlaces.has(index));
  const picked = (
    { facts, probabilities }: Pick<PoolAnswer, "facts" | "probabilities">,
    at: ReadonlyMap<number, number>,
  ) =>
    Float32Array.from(
      indices.flatMap((index) => taskKeys.map((task) => probabilities[cellOf(facts, at.get(index)!, task)]!)),
    );
  return {
    scenarios: indices.map((index) => rows[index]!.scenario),
    taskKeys,
    own: picked(answer, places),
    others: picked(other, otherPlaces),
  };
}

/** Row of the answer by index in the request. */
function placesOf(rows: number, { faults }: PoolAnswer): Map<number, number> {
  return new Map(answeredIndices(rows, faults).map((index, row) => [index, row]));
}

function cellOf({ tasks }: ModelFacts, row: number, task: string): number {
  return row * tasks.length + tasks.indexOf(task);
}
