import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type Backbone,
  type BackboneInputs,
  type BackbonePlugin,
  dense,
  denseParams,
  mlp,
  ones,
  param,
  type Params,
  stopGradient,
} from "#plugin";
import { contract, describeBackbone, type Subject, useReferenceBackend } from "#plugin/testing";

const width = 8;

/** A correct backbone of one layer; `change` breaks it. */
function toy(change: Partial<Backbone> & { config?: z.ZodType } = {}): BackbonePlugin {
  const { config = z.strictObject({ gain: z.number().default(1).describe("Unused.") }), ...backbone } = change;
  return {
    name: "toy",
    paper: { title: "None", venue: "none", url: "https://example.org" },
    summary: "One layer.",
    config,
    build: ({ inputDim }) => ({
      outputDim: width,
      perTask: false,
      params: denseParams("layer", inputDim, width),
      forward: (p, { features }) => layer(p, features),
      ...backbone,
    }),
  };
}

function layer(p: Params, x: tf.Tensor2D): tf.Tensor2D {
  return tf.relu(dense(p, "layer", x));
}

/** Centres in training over the rows of each scenario. */
const centred = toy({
  buffers: { mean: { shape: [3, width], value: 0 } },
  forward(p, { features, scenarioOneHot, training, updateBuffer }) {
    const h = layer(p, features);
    const sums = tf.matMul(scenarioOneHot, h, true); // [scenarios, width]
    const means = tf.div(sums, tf.maximum(tf.sum(scenarioOneHot, 0), 1).expandDims(1)); // [scenarios, width]
    updateBuffer("mean", means);
    return tf.sub(h, tf.matMul(scenarioOneHot, (training ? means : p.mean!) as tf.Tensor2D));
  },
});

/** A toy with another forward. */
function toyWith(forward: (h: tf.Tensor2D, inputs: BackboneInputs, p: Params) => tf.Tensor2D): BackbonePlugin {
  return toy({ forward: (p, inputs) => forward(layer(p, inputs.features), inputs, p) });
}

async function verdict(
  rule: keyof typeof contract,
  plugin: BackbonePlugin,
  more: Omit<Subject, "plugin" | "config"> = {},
): Promise<string> {
  try {
    await (contract[rule] as (subject: Subject) => void | Promise<void>)({ plugin, config: {}, ...more });
    return "kept";
  } catch (error) {
    return (error as Error).message;
  }
}

describeBackbone(toy(), { config: {} });

describe("the contract catches a backbone that", () => {
  beforeAll(useReferenceBackend);

  it("has a configuration without a default, or without a description", async () => {
    const rule = "has a strict configuration whose every member has a default and a description";
    expect(await verdict(rule, toy({ config: z.strictObject({ gain: z.number().describe("x") }) }))).toContain(
      "config.gain: expected a default, got none",
    );
    expect(await verdict(rule, toy({ config: z.strictObject({ gain: z.number().default(1) }) }))).toContain(
      "config.gain: expected a description, got none",
    );
  });

  it("accepts unknown members of the configuration", async () => {
    const rule = "has a strict configuration whose every member has a default and a description";
    expect(await verdict(rule, toy({ config: z.object({}) }))).toContain("an unknown member is refused");
  });

  it("declares another width than it gives", async () => {
    const rule = "gives representations of [batch, outputDim], one per task or one for all";
    expect(await verdict(rule, toy({ outputDim: width + 1 }))).toContain("shapes of the representations");
  });

  it("says it gives one representation per task and gives one for all", async () => {
    const rule = "gives representations of [batch, outputDim], one per task or one for all";
    expect(await verdict(rule, toy({ perTask: true }))).toContain("shapes of the representations");
  });

  it("is built for one number of scenarios", async () => {
    const three = toyWith((h, { scenarioOneHot }) => tf.add(h, tf.sum(tf.mul(scenarioOneHot, [[0, 0, 0]]), 1, true)));
    expect(await verdict("works for 1 to 8 scenarios and 1 to 4 tasks", three)).toContain("could not be broadcast");
  });

  it("loses the batch axis for one row", async () => {
    const squeezed = toyWith((h) => tf.squeeze(h) as tf.Tensor2D);
    expect(await verdict("works for a batch of one row", squeezed)).toContain(
      "shapes of the representations: expected [ [ 1, 8 ] ], got [ [ 8 ] ]",
    );
  });

  it("declares a parameter that it does not use, or uses one that it does not declare", async () => {
    const rule = "uses every parameter, buffer, dropout and noise site it declares";
    const params = { ...denseParams("layer", 12, width), spare: param([1], ones) };
    expect(await verdict(rule, toy({ params }))).toContain("spare");
    const undeclared = toyWith((h, _, p) => tf.add(h, p.spare!));
    expect(await verdict(rule, undeclared)).toBe('parameter "spare": read by forward but not declared');
  });

  it("draws random numbers of its own", async () => {
    const rule = "is the same, bit for bit, when it is built and run again from the same seed";
    expect(
      await verdict(
        rule,
        toyWith((h) => tf.mul(h, Math.random())),
      ),
    ).toContain("run twice");
  });

  it("lets a row's output depend on the other rows", async () => {
    const rule = "gives a row the same output whatever the other rows and their scenarios are";
    expect(
      await verdict(
        rule,
        toyWith((h) => tf.sub(h, tf.mean(h, 0))),
      ),
    ).toContain("row 0 alone");
  });

  it("lets a row's output depend on the scenarios of the other rows", async () => {
    const rule = "gives a row the same output whatever the other rows and their scenarios are";
    const busy = toyWith((h, { scenarioOneHot }) => tf.mul(h, tf.sum(tf.slice(scenarioOneHot, [0, 1], [-1, 1]))));
    expect(await verdict(rule, busy)).toContain("row 0 alone");
  });

  it("takes the scenario of another row", async () => {
    const rule = "gives a row the same output whatever the other rows and their scenarios are";
    const routed = (of: (scenario: tf.Tensor2D) => tf.Tensor2D) =>
      toyWith((h, { scenarioOneHot }) => tf.mul(h, tf.matMul(of(scenarioOneHot), tf.tensor2d([[1], [2], [3]]))));
    const ofFirst = routed((s) => tf.tile(tf.slice(s, [0, 0], [1, -1]), [s.shape[0], 1]));
    const ofNeighbour = routed((s) => tf.reverse(s, 0));
    expect(await verdict(rule, ofFirst)).toContain("row 1 alone: values outside the tolerance");
    expect(await verdict(rule, ofNeighbour)).toContain("row 0 alone: values outside the tolerance");
    expect(
      await verdict(
        rule,
        routed((s) => s),
      ),
    ).toBe("kept");
  });

  it("mixes rows of all scenarios in training, though it says those of one", async () => {
    const rule = "mixes in training no more than the rows of a scenario, where it says so";
    const trunk = mlp("layer", 12, [width], { batchNorm: true });
    const normal = toy({ ...trunk, forward: (p, inputs) => trunk.forward(p, inputs.features, inputs) });
    expect(await verdict(rule, normal)).toBe("kept");
    expect(await verdict(rule, normal, { mixesRowsOf: "SCENARIO" })).toContain("rows of scenario 0 among other rows");
    expect(await verdict(rule, centred, { mixesRowsOf: "SCENARIO" })).toBe("kept");
  });

  it("does not fit under a head", async () => {
    const endless = toy({
      logitLosses: (logits) => ({ loss: tf.div(tf.sum(logits), tf.sum(tf.mul(logits, 0))) as tf.Scalar }),
    });
    expect(await verdict("trains under every head, compiled", endless)).toMatch(
      /loss under TOWERS: expected a finite number, got (NaN|-?Infinity)/,
    );
  });

  it("knows the position of a row in the batch", async () => {
    const positional = toyWith((h) => tf.mul(h, tf.expandDims(tf.range(0, h.shape[0]), 1)));
    expect(await verdict("reorders its output when the batch is reordered", positional)).toContain("reordered batch");
  });

  it("treats a scenario by its number", async () => {
    const rule = "gives the same output when scenarios are renamed together with their parameters";
    const numbered = toyWith((h, { scenarioOneHot }) => tf.add(h, tf.slice(scenarioOneHot, [0, 0], [-1, 1])));
    expect(await verdict(rule, numbered)).toContain("renamed scenarios");
  });

  it("has a wrong gradient", async () => {
    const rule = "has the gradients that finite differences give, for parameters and features";
    const halved = toyWith((h) => tf.add(tf.mul(h, 0.5), tf.mul(stopGradient(h), 0.5)));
    expect(await verdict(rule, halved)).toContain("gradient of layer.kernel along a random line");
  });

  it("has a parameter that never learns", async () => {
    const rule = "lets every parameter learn: no gradient is zero throughout";
    const params = { ...denseParams("layer", 12, width), mute: param([1], ones) };
    const mute = toy({ params, forward: (p, { features }) => tf.add(layer(p, features), tf.mul(p.mute!, 0)) });
    expect(await verdict(rule, mute)).toContain("mute");
  });

  it("cannot learn", async () => {
    const blind = toyWith((h, _, p) => tf.add(tf.mul(h, 0), tf.relu(p["layer.bias"]!)));
    expect(await verdict("learns a tiny set by heart", blind)).toContain("loss after training");
  });

  it("reads a value back, which no compiled graph can do", async () => {
    const reading = toyWith((h) => tf.mul(h, Math.sign(1 + h.dataSync()[0]!)));
    expect(await verdict("gives the same loss and gradients compiled as eager", reading)).toContain("values were read");
  });

  it("bakes the batch size of the trace into the graph", async () => {
    const rule = "gives the same output compiled as eager, for any batch size from one graph";
    const sized = toyWith((h) => tf.div(h, h.shape[0]));
    expect(await verdict(rule, sized)).toContain("the batch size was used as a number");
  });
});

describe("the contract accepts", () => {
  beforeAll(useReferenceBackend);

  it("an auxiliary loss, which takes part in the gradients", async () => {
    const rule = "has the gradients that finite differences give, for parameters and features";
    const withLoss = toy({
      forward: (p, { features }) => {
        const representations = layer(p, features);
        return { representations, auxiliaryLosses: { size: tf.mean(tf.square(representations)) } };
      },
    });
    expect(await verdict(rule, withLoss)).toBe("kept");
  });

  it("batch norm, which mixes rows in training only", async () => {
    const trunk = mlp("layer", 12, [width], { batchNorm: true });
    const normal = toy({ ...trunk, forward: (p, inputs) => trunk.forward(p, inputs.features, inputs) });
    const rule = "gives a row the same output whatever the other rows and their scenarios are";
    expect(await verdict(rule, normal)).toBe("kept");
  });
});
