import { describe, expect, it } from "vitest";
import sharedBottom from "../../plugins/shared-bottom/index.ts";
import { createEngine } from "../../src/engine/engines.ts";
import { probeTraining } from "../../src/training/probe.ts";
import type { Probe } from "../../src/training/probe.ts";
import type { RunSpec } from "../../src/training/runSpec.ts";
import { tinyShape, tinySplits } from "./tinyDataset.ts";
import { autoIfs, hyperParameters, towers, train } from "./tinyTraining.ts";

const rows = tinySplits();

async function probed(spec: Pick<RunSpec, "kind" | "hyperParameters">): Promise<Probe> {
  const head = spec.kind === "TRAIN" ? towers : autoIfs;
  const backbone = { name: "shared-bottom", config: { layers: [16, 8], batchNorm: false, dropout: 0 } };
  return probeTraining({
    spec: { ...spec, model: { backbone, head }, seed: 1, engine: "compiled" },
    plugin: sharedBottom,
    engine: await createEngine("compiled"),
    shape: tinyShape,
    rows: rows.train,
  });
}

/** Seconds of a training of that many epochs, as the probe has it; without the metrics at the end. */
function predicted({ step, order, compileStep, compileScorer, predictRow, measureRow }: Probe, epochs: number): number {
  const steps = rows.train.rows / hyperParameters.batchSize;
  const epoch = steps * step + order + rows.validation.rows * (predictRow + measureRow.QUICK);
  return compileStep + compileScorer + epochs * epoch;
}

describe("a probe", () => {
  it("tells the time of a training of many epochs within a factor of 3", async () => {
    const epochs = 100;
    const search = { ...hyperParameters.search, epochs };
    const spec = { kind: "SEARCH", hyperParameters: { ...hyperParameters, search } } as const;
    const probe = await probed(spec);
    const { timings } = await train(spec);
    const ratio = (predicted(probe, epochs) * 1000) / timings.total;
    expect(ratio).toBeGreaterThan(1 / 3);
    expect(ratio).toBeLessThan(3);
  });

  it("counts what is trained, and weighs the checkpoint", async () => {
    const probe = await probed({ kind: "TRAIN", hyperParameters });
    const { checkpoint } = await train({ kind: "TRAIN" });
    const lengths = Object.values(checkpoint.arrays).map(({ values }) => values.length);
    // Without batch norm there is nothing in a checkpoint that is not trained.
    expect(probe.parameters).toBe(lengths.reduce((sum, length) => sum + length, 0));
    expect(probe.checkpointBytes).toBeGreaterThan(4 * probe.parameters);
    expect(probe.stateBytes).toBeGreaterThan(3 * 4 * probe.parameters);
  });

  it("finds a time for data of a single step per epoch", async () => {
    const probe = await probed({
      kind: "TRAIN",
      hyperParameters: { ...hyperParameters, batchSize: 65_536, patience: 0 },
    });
    expect(probe.steps).toBeGreaterThan(0);
    expect(probe.step).toBeGreaterThan(0);
  });
});
