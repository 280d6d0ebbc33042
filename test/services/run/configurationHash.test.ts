import { describe, expect, it } from "vitest";
import { configurationHash } from "../../../src/services/run/configurationHash.ts";
import type { NewRun } from "../../../src/store/queueRun.ts";
import type { Run } from "../../../src/store/rows.ts";
import { defaultHyperParameters } from "../../../src/training/hyperParameters.ts";

type Planned = Omit<NewRun, "configurationHash">;

const hyperParameters = defaultHyperParameters("RECOMMENDED");
const search: Planned = {
  kind: "SEARCH",
  datasetId: "ds_1",
  backboneName: "mmoe",
  backboneConfig: { experts: 4, layers: [8] },
  head: { kind: "AUTOIFS", rank: 2 },
  hyperParameters,
  seed: 1,
  engine: "compiled",
};
const hash = configurationHash(search);

describe("configurationHash", () => {
  it("is the same for runs that differ in seed, dataset, engine or the order of members", () => {
    const same: Planned[] = [
      { ...search, seed: 2 },
      { ...search, datasetId: "ds_2" },
      { ...search, engine: "cpu" },
      { ...search, backboneConfig: { layers: [8], experts: 4 } },
      { ...search, trialId: "trl_1", pauseAtEpoch: 3 },
    ];
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(same.map((run) => configurationHash(run)))).toEqual(new Set([hash]));
  });

  it("differs with everything that was chosen", () => {
    const others: Planned[] = [
      search,
      { ...search, backboneName: "ple" },
      { ...search, backboneConfig: { experts: 5, layers: [8] } },
      { ...search, head: { kind: "AUTOIFS", rank: 3 } },
      { ...search, hyperParameters: { ...hyperParameters, learningRate: 0.01 } },
      { ...search, hyperParameters: { ...hyperParameters, search: { ...hyperParameters.search, epochs: 3 } } },
      { ...search, cell: { scenario: "home", task: "click" } },
      { ...search, budget: { epochs: 3 } },
      { ...search, kind: "TRAIN" },
    ];
    expect(new Set(others.map((run) => configurationHash(run))).size).toBe(others.length);
  });

  it("of a prune differs with the configuration of its search and with the threshold, not with the search's seed", () => {
    const prune: Planned = { ...search, kind: "PRUNE", pruneThreshold: 0.5 };
    const of = (parent: Partial<Run>, run = prune): string => configurationHash(run, parent as Run);
    expect(of({ id: "run_1", configurationHash: hash })).toBe(of({ id: "run_2", configurationHash: hash }));
    expect(of({ id: "run_1", configurationHash: hash })).not.toBe(of({ id: "run_1", configurationHash: "other" }));
    const stricter = { ...prune, pruneThreshold: 0.6 };
    expect(of({ configurationHash: hash }, stricter)).not.toBe(of({ configurationHash: hash }));
    const bound = { ...prune, pruneRule: { granularity: "ROW", threshold: 0.5, allowedLoss: { auc: 0.01 } } };
    expect(of({ configurationHash: hash }, bound)).not.toBe(of({ configurationHash: hash }));
    // A search from before there were hashes is like no other.
    expect(of({ id: "run_1", configurationHash: "" })).not.toBe(of({ id: "run_2", configurationHash: "" }));
  });

  it("of towers does not see the numbers of a search", () => {
    const towers: Planned = { ...search, kind: "TRAIN", head: { kind: "TOWERS", layers: [64] } };
    const other = { ...hyperParameters, search: { ...hyperParameters.search, gateLearningRate: 0.5 } };
    expect(configurationHash({ ...towers, hyperParameters: other })).toBe(configurationHash(towers));
  });
});
