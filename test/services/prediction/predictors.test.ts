import { describe, expect, it } from "vitest";
import { createPredictors } from "../../../src/services/prediction/predictors.ts";
import type { Predictors, ReadyModel } from "../../../src/services/prediction/predictors.ts";
import type { Run } from "../../../src/store/rows.ts";

/** Predictors over models that do nothing, and what was loaded and released in which order. */
function recorded(capacity: number): { predictors: Predictors; events: string[] } {
  const events: string[] = [];
  const predictors = createPredictors({
    capacity,
    load({ id }) {
      events.push(`load ${id}`);
      if (id === "broken") return Promise.reject(new Error("broken: no checkpoint"));
      const release = (): Promise<void> => {
        events.push(`release ${id}`);
        return Promise.resolve();
      };
      return Promise.resolve({ predictor: { release } } as unknown as ReadyModel);
    },
  });
  return { predictors, events };
}

const run = (id: string): Run => ({ id }) as Run;
const nothing = (): Promise<void> => Promise.resolve();

describe("predictors", () => {
  it("load a model once, however often it is asked", async () => {
    const { predictors, events } = recorded(2);
    await Promise.all([predictors.with(run("a"), nothing), predictors.with(run("a"), nothing)]);
    await predictors.with(run("a"), nothing);
    expect(events).toEqual(["load a"]);
  });

  it("release the model that was asked longest ago where there are too many", async () => {
    const { predictors, events } = recorded(2);
    for (const id of ["a", "b", "a", "c"]) await predictors.with(run(id), nothing);
    expect(events).toEqual(["load a", "load b", "load c", "release b"]);
  });

  it("release no model that is in use", async () => {
    const { predictors, events } = recorded(1);
    await predictors.with(run("a"), async () => {
      await predictors.with(run("b"), nothing);
      expect(events).toEqual(["load a", "load b", "release b"]);
    });
    expect(events).not.toContain("release a");
  });

  it("try again to load a model that could not be loaded", async () => {
    const { predictors, events } = recorded(2);
    await expect(predictors.with(run("broken"), nothing)).rejects.toThrow("broken: no checkpoint");
    await expect(predictors.with(run("broken"), nothing)).rejects.toThrow("broken: no checkpoint");
    expect(events).toEqual(["load broken", "load broken"]);
  });

  it("release all models when they are closed", async () => {
    const { predictors, events } = recorded(3);
    for (const id of ["a", "b"]) await predictors.with(run(id), nothing);
    await predictors.close();
    expect(events.slice(2)).toEqual(["release a", "release b"]);
  });
});
