import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";
import { PluginError } from "../../src/errors.ts";
import type { Backbone, BackboneInputs, BackbonePlugin } from "../../src/plugin/contract.ts";
import { guarded, type PluginWatch } from "../../src/plugin/guard.ts";
import sharedBottom from "../../plugins/shared-bottom/index.ts";

const here = new URL(import.meta.url);
const place = { label: "plugin toy", module: here.href, root: new URL(".", here).pathname.replace(/\/$/, "") };
const sizes = { inputDim: 2, fields: 1, embeddingDim: 2, columns: ["a"], scenarios: 1, tasks: 2 };

function toy(change: Partial<Backbone>, watch?: PluginWatch): Backbone {
  const plugin: BackbonePlugin = {
    ...sharedBottom,
    name: "toy",
    build: () => ({ outputDim: 2, perTask: false, params: {}, forward: (_, { features }) => features, ...change }),
  };
  return guarded(plugin, place, watch ?? { enter: () => undefined, leave: () => undefined }).build(sizes, {});
}

const inputs = { features: tf.zeros([3, 2]) } as BackboneInputs;

describe("a guarded plugin", () => {
  it("gives what the plugin gives", () => {
    expect(toy({}).forward({}, inputs)).toBe(inputs.features);
  });

  it("throws what the plugin throws as a PluginError with its name, what it was at, and the file and line", () => {
    const broken = toy({
      forward: () => {
        throw new Error("boom");
      },
    });
    expect(() => broken.forward({}, inputs)).toThrow(PluginError);
    expect(() => broken.forward({}, inputs)).toThrow(/^plugin toy: forward: boom \(plugin\/guard\.test\.ts:\d+\)$/);
  });

  it("does not let a wrong output pass", () => {
    const message = (change: Partial<Backbone>): string => {
      try {
        toy(change).forward({}, inputs);
        return "passed";
      } catch (error) {
        return (error as Error).message.replace(/ \(.*\)$/, "");
      }
    };
    expect(message({ outputDim: 5 })).toBe("plugin toy: forward: expected representations [batch, 5], got [batch, 2]");
    expect(message({ perTask: true })).toBe("plugin toy: forward: expected 2 representation(s), got 1");
    expect(message({ forward: () => ({ representations: inputs.features, logitBias: tf.zeros([3, 1]) }) })).toBe(
      "plugin toy: forward: expected logitBias [batch, 2], got [batch, 1]",
    );
    expect(message({ forward: () => [3] as unknown as [tf.Tensor2D] })).toBe(
      "plugin toy: forward: expected representations [batch, 2], got 3",
    );
    const gives = (more: object): Partial<Backbone> => ({
      forward: () => ({ representations: inputs.features, ...more }),
    });
    expect(message(gives({ statistics: { gate: tf.zeros([3]) } }))).toBe(
      "plugin toy: forward: expected statistics gate [batch, n], got 1 axis",
    );
    expect(message(gives({ auxiliaryLosses: { extra: tf.zeros([3]) } }))).toBe(
      "plugin toy: forward: expected the loss extra as a scalar, got 1 axis",
    );
    const site = { width: 2, rate: 0.5, std: 1 };
    expect(message({ dropout: { a: site }, noise: { a: site } })).toBe(
      "plugin toy: build: what it gives: noise.a: expected a name of its own, but it is among dropout",
    );
    expect(message({ outputDim: 0 })).toMatch("plugin toy: build: what it gives: outputDim: ");
    expect(message({ params: { w: { shape: [1], init: { kind: "unit" } } } as unknown as Backbone["params"] })).toMatch(
      "plugin toy: build: what it gives: params.w.init",
    );
  });

  it("does not let a loss of logits pass that is no scalar", () => {
    const { logitLosses } = toy({ logitLosses: (logits) => ({ each: logits }) });
    expect(() => logitLosses!(tf.zeros([3, 2]))).toThrow(
      "plugin toy: logitLosses: expected the loss each as a scalar, got 2 axes",
    );
  });

  it("tells its watch when the plugin's code begins and ends, also where it throws", () => {
    const heard: string[] = [];
    const watch = { enter: (step: string) => void heard.push(step), leave: () => void heard.push("-") };
    const backbone = toy({ logitLosses: () => ({}) }, watch);
    backbone.forward({}, inputs);
    backbone.logitLosses!(tf.zeros([3, 2]));
    expect(() => toy({ outputDim: -1 }, watch)).toThrow(PluginError);
    expect(heard).toEqual(["build", "-", "forward", "-", "logitLosses", "-", "build", "-"]);
  });
});
