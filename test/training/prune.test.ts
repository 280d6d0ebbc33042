import { beforeAll, describe, expect, it } from "vitest";
import sharedBottom from "../../plugins/shared-bottom/index.ts";
import { createEngine } from "../../src/engine/engines.ts";
import type { Checkpoint } from "../../src/model/checkpoint.ts";
import { createScorer, loadPredictor } from "../../src/serving/predictor.ts";
import { prunePlan, searchedRows } from "../../src/training/prunePlan.ts";
import type { PruneRule } from "../../src/training/pruneRule.ts";
import { tinySplits } from "./tinyDataset.ts";
import { hyperParameters, newRecording, type Recording, train, type TinyTraining } from "./tinyTraining.ts";

let search: Checkpoint;
const searching = newRecording();

beforeAll(async () => {
  search = (await train({ kind: "SEARCH", record: searching })).checkpoint;
});

describe("a prune", () => {
  it("for whole cells of a search with gates row by row does what was planned, and keeps no gates at all", async () => {
    const rule: PruneRule = { granularity: "CELL", target: { auc: 0.01 } };
    const { gateRule } = prunePlan(rule, await searched());
    const record = newRecording();
    const { checkpoint } = await pruned(rule, { record });
    expect(checkpoint.gateRule).toEqual(gateRule);
    expect(record.flows.map(({ shareRemoved }) => shareRemoved)).toEqual("removed" in gateRule && gateRule.removed);
    expect(Object.keys(checkpoint.arrays).filter((name) => name.startsWith("gate"))).toEqual([]);

    const predictor = await loadPredictor(checkpoint, sharedBottom);
    const { gates, probabilities } = await predictor.predict(tinySplits().test);
    await predictor.release();
    expect(probabilities.every((p) => p > 0 && p < 1)).toBe(true);
    expect(new Set(gates)).toEqual(new Set("removed" in gateRule ? gateRule.removed : []));
  });

  it("with an allowed loss that it keeps to tells how every cell came out beside the search", async () => {
    const record = newRecording();
    await pruned({ granularity: "ROW", threshold: 0.5, allowedLoss: { auc: 1 } }, { record });
    expect(record.verified.map(({ scenario, task }) => `${scenario} × ${task}`)).toEqual([
      "home × click",
      "home × like",
      "search × click",
      "search × like",
    ]);
    const [before, after] = [validationAucs(searching), validationAucs(record)];
    for (const [cell, { auc }] of record.verified.entries()) {
      expect(auc.value).toBeCloseTo(after[cell]! - before[cell]!, 12);
      expect(auc.low).toBeLessThan(auc.value!);
      expect(auc.high).toBeGreaterThan(auc.value!);
    }
  });

  it("with an allowed loss that it breaks is refused after the retraining, and tells what broke it", async () => {
    const record = newRecording();
    const refused = pruned(
      { granularity: "ROW", threshold: 0.5, allowedLoss: { logloss: 0.001 } },
      { record, hyperParameters: { ...short, learningRate: 1e-6 } },
    );
    await expect(refused).rejects.toMatchObject({
      code: "PRUNE_REFUSED",
      message: expect.stringMatching(/^prune: the log-loss of \w+ × \w+ rose by 0\.\d+ .*more than the 0\.001 it may/),
    });
    expect(record.verified).toHaveLength(4);
    expect(record.events.map(({ summary }) => summary?.epoch)).toEqual([1]);
  });
});

const short = { ...hyperParameters, maxEpochs: 1 };

function pruned(prune: PruneRule, more: TinyTraining) {
  return train({ kind: "PRUNE", parent: search, prune, hyperParameters: short, ...more });
}

/** Of the finished model, cell by cell. */
function validationAucs({ events }: Recording): number[] {
  const measured = events.at(-1)!.metrics.filter(({ split, name }) => split === "validation" && name === "auc");
  return measured.map(({ value }) => value!);
}

async function searched() {
  const scorer = await createScorer(await createEngine("compiled"), sharedBottom, search);
  const found = await searchedRows(scorer, search, tinySplits().validation);
  await scorer.release();
  return found;
}
