import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/engines.ts";
import { createScorer } from "../../src/serving/predictor.ts";
import { madeCheckpoint, type MadeModel, madeRows } from "./madeCheckpoint.ts";

/** Full logits and flows of the tasks of random rows [cells, 5]. */
async function partialsOf(made: MadeModel): Promise<number[][]> {
  const { checkpoint, plugin } = madeCheckpoint({ ...made, gateRule: { kind: "SOFT", temperature: 1 } });
  const scorer = await createScorer(await createEngine("cpu"), plugin, checkpoint);
  const { partialLogits } = await scorer.predict(checkpoint.arrays, madeRows(checkpoint, 12), checkpoint.gateRule);
  return Array.from({ length: partialLogits!.length / 5 }, (_, cell) => [
    ...partialLogits!.subarray(5 * cell, 5 * cell + 5),
  ]);
}

describe("flows of a head whose gates are those of cells", () => {
  it("sum to the full logit, at every depth", async () => {
    for (const backbone of ["shared-bottom", "mmoe"] as const)
      for (const head of [
        {},
        { scenarioLayers: [6, 5], batchNorm: true },
        { taskLayers: [16, 4], batchNorm: true, rank: 1 },
      ])
        for (const [full, ...flows] of await partialsOf({ backbone, head })) {
          expect(Math.abs(full! - flows.reduce((a, b) => a + b))).toBeLessThan(1e-5);
          expect(Math.max(...flows.map(Math.abs))).toBeGreaterThan(1e-3);
        }
  });

  it("are not the paper's, whose sum is another number", async () => {
    const cells = await partialsOf({ head: { gates: "ROW" } });
    expect(
      Math.max(...cells.map(([full, ...flows]) => Math.abs(full! - flows.reduce((a, b) => a + b)))),
    ).toBeGreaterThan(0.1);
  });
});
