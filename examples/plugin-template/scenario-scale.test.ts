import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import {
  describeBackbone,
  expectClose,
  makeRows,
  parameterCount,
  rowOutputs,
  setUp,
  useReferenceBackend,
} from "#plugin/testing";
import { subjects } from "./contract.ts";
import scenarioScale from "./index.ts";

for (const subject of subjects) describeBackbone(scenarioScale, subject);

describe("scenario-scale", () => {
  beforeAll(useReferenceBackend);

  it("doubles the representation of the rows of a scenario whose scales are doubled", () => {
    const trial = setUp(scenarioScale, { config: { layers: [6] } });
    const rows = makeRows(trial, 6);
    const scale = tf.mul(trial.params["scale"]!, [[1], [2], [1]]); // of scenario 1
    expectClose(
      rowOutputs({ ...trial, params: { ...trial.params, scale } }, rows),
      rowOutputs(trial, rows).map((row, b) => (rows[b]!.scenario === 1 ? row.map((x) => 2 * x) : row)),
    );
  });

  it("has the parameters of the trunk and one per scenario and unit", () => {
    const { backbone } = setUp(scenarioScale, { config: { layers: [6] } });
    expect(parameterCount(backbone)).toBe(12 * 6 + 6 + 3 * 6);
  });
});
