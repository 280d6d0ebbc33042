/**
 * What every backbone must do, as one list of rules. A plugin's test calls `describeBackbone` once; the rules can also be
 * called one by one, so that their own test can show that each of them catches what it is for.
 */
import * as tf from "@tensorflow/tfjs"; // all of it: the core alone has no gradients under Node
import { expect } from "vitest";
import { z } from "zod";
import type { BackbonePlugin, Params } from "../plugin/contract.ts";
import { compareEvaluation, compareTraining, type Differences } from "./compareCompiled.ts";
import { expectClose } from "./expectClose.ts";
import { learnByHeart } from "./learnByHeart.ts";
import {
  makeRows,
  numbersFrom,
  gradientsOf,
  largest,
  outputsOf,
  parameterCount,
  probeLoss,
  type Row,
  rowOutputs,
  run,
  setUp,
  toBatch,
  type Trial,
} from "./trial.ts";

export interface Subject {
  readonly plugin: BackbonePlugin;
  /** Small widths, to be quick. The defaults fill the rest. */
  readonly config: unknown;
  /**
   * The parameters after the scenarios are renamed: what was scenario `order[i]` is now scenario i. Needed where
   * parameters belong to scenarios; default: none do.
   */
  readonly permuteScenarios?: (params: Params, order: readonly number[], trial: Trial) => Params;
  /**
   * For a backbone that stops gradients by design: the names of what they do not pass through in full (parameters, or
   * "features"), where finite differences would see more. Default: none.
   */
  readonly stopsGradientOf?: readonly string[];
}

export const contract = {
  "has a strict configuration whose every member has a default and a description"({ plugin }) {
    const schema = z.toJSONSchema(plugin.config, { io: "input" });
    for (const [member, { description, default: value }] of Object.entries(schema.properties ?? {}) as [
      string,
      z.core.JSONSchema.BaseSchema,
    ][]) {
      expect(description, `config.${member}: a description`).toBeTruthy();
      expect(value, `config.${member}: a default`).toBeDefined();
    }
    expect(plugin.config.safeParse({}).success, "config: {} is enough").toBe(true);
    expect(plugin.config.safeParse({ noSuchMember: 1 }).success, "config: an unknown member is refused").toBe(false);
  },

  "builds and runs with its defaults at an ordinary size"({ plugin }) {
    const trial = setUp(plugin, { sizes: { fields: 8, embeddingDim: 16 } });
    const shapes = Object.values(trial.backbone.params).map(({ shape }) => shape);
    expect(
      shapes.flat().every((size) => Number.isInteger(size) && size > 0),
      "sizes are whole and positive",
    ).toBe(true);
    const count = parameterCount(trial.backbone);
    expect(count, "number of parameters").toBeGreaterThan(0);
    expect(count, "number of parameters").toBeLessThan(50e6);
    expectFinite(rowOutputs(trial, makeRows(trial, 2)));
  },

  "gives representations of [batch, outputDim], one per task or one for all"({ plugin, config }) {
    for (const training of [false, true]) expectShapes(setUp(plugin, { config }), 5, training);
  },

  "works for 1 to 8 scenarios and 1 to 4 tasks"({ plugin, config }) {
    for (let scenarios = 1; scenarios <= 8; scenarios += 1)
      for (let tasks = 1; tasks <= 4; tasks += 1)
        expectShapes(setUp(plugin, { config, sizes: { scenarios, tasks } }), scenarios + 1);
  },

  "can be trained for one scenario and one task, and for many"({ plugin, config }) {
    for (const [scenarios, tasks] of [
      [1, 1],
      [1, 4],
      [8, 1],
      [8, 4],
    ] as const) {
      const trial = setUp(plugin, { config, sizes: { scenarios, tasks } });
      const { gradients } = gradientsOf(trial, toBatch(trial, makeRows(trial, 8)));
      for (const gradient of Object.values(gradients)) expect(Number.isFinite(largest(gradient))).toBe(true);
    }
  },

  "works for a batch of one row"({ plugin, config }) {
    for (const training of [false, true]) expectShapes(setUp(plugin, { config }), 1, training);
  },

  "uses every parameter, buffer, dropout and noise site it declares"({ plugin, config }) {
    const trial = setUp(plugin, { config });
    const used = new Set<string>();
    run(trial, toBatch(trial, makeRows(trial, 4)), { training: true, onUse: (name) => used.add(name) });
    const { params, buffers = {}, dropout = {}, noise = {} } = trial.backbone;
    const declared = [params, buffers, dropout, noise].flatMap(Object.keys);
    expect(
      declared.filter((name) => !used.has(name)),
      "declared but not used",
    ).toEqual([]);
  },

  "is the same, bit for bit, when it is built and run again from the same seed"({ plugin, config }) {
    const [first, second] = [setUp(plugin, { config }), setUp(plugin, { config })];
    expect(second.backbone.params).toEqual(first.backbone.params);
    const rows = makeRows(first, 5);
    for (const training of [false, true]) {
      const once = rowOutputs(first, rows, { training });
      expect(rowOutputs(first, rows, { training }), "run twice").toEqual(once);
      expect(rowOutputs(second, rows, { training }), "built twice").toEqual(once);
    }
  },

  "gives a row the same output whatever the other rows and their scenarios are"({ plugin, config }) {
    const trial = setUp(plugin, { config });
    const rows = makeRows(trial, 6);
    const others = makeRows(trial, 6, 99).map((row) => ({ ...row, scenario: trial.sizes.scenarios - 1 }));
    // A batch norm mixes the rows of a batch in training, and only there.
    const modes = trial.backbone.buffers && Object.keys(trial.backbone.buffers).length > 0 ? [false] : [false, true];
    for (const training of modes) {
      const together = rowOutputs(trial, rows, { training });
      rows.forEach((row, b) => {
        const alone = rowOutputs(trial, [row], { training });
        const elsewhere = rowOutputs(trial, others.with(b, row), { training });
        expectClose(alone, [together[b]!], `row ${b} alone`, 1e-6);
        expectClose([elsewhere[b]!], [together[b]!], `row ${b} among other rows`, 1e-6);
      });
    }
  },

  "reorders its output when the batch is reordered"({ plugin, config }) {
    const trial = setUp(plugin, { config });
    const rows = makeRows(trial, 6);
    const order = [3, 0, 5, 1, 4, 2];
    for (const training of [false, true]) {
      const straight = rowOutputs(trial, rows, { training });
      const reordered = rowOutputs(
        trial,
        order.map((b) => rows[b]!),
        { training },
      );
      expectClose(
        reordered,
        order.map((b) => straight[b]!),
        "reordered batch",
      );
    }
  },

  "gives the same output when scenarios are renamed together with their parameters"({
    plugin,
    config,
    permuteScenarios,
  }) {
    const trial = setUp(plugin, { config });
    const order = [2, 0, 1]; // the scenario that was order[i] is now i
    const rows = makeRows(trial, 6);
    const renamed = rows.map((row): Row => ({ ...row, scenario: order.indexOf(row.scenario) }));
    const params = permuteScenarios?.(trial.params, order, trial) ?? trial.params;
    expectClose(rowOutputs({ ...trial, params }, renamed), rowOutputs(trial, rows), "renamed scenarios", 1e-6);
  },

  "has the gradients that finite differences give, for parameters and features"({
    plugin,
    config,
    stopsGradientOf = [],
  }) {
    const trial = setUp(plugin, { config });
    const batch = toBatch(trial, makeRows(trial, 6));
    const { gradients } = gradientsOf(trial, batch);
    const random = numbersFrom(5);
    const compared = [...Object.entries(trial.params), ["features", batch.features] as const];
    for (const [name, value] of compared) {
      if (stopsGradientOf.includes(name)) continue;
      const line = Array.from({ length: value.size }, random);
      const direction = tf.div(tf.tensor(line, value.shape), Math.hypot(...line));
      const lossAt = (step: number): number => {
        const moved = tf.add(value, tf.mul(direction, step));
        const params = { ...trial.params, [name]: moved };
        if (name === "features") return probeLoss(trial, { ...batch, features: moved as tf.Tensor2D }).arraySync();
        return probeLoss({ ...trial, params }, batch).arraySync();
      };
      const slope = tf.sum(tf.mul(gradients[name]!, direction)).arraySync() as number;
      // One agreement is enough: a long step may cross the corner of a ReLU, a short one drowns in float32 rounding.
      const differences = [4e-3, 1e-3, 2.5e-4].map((h) => (lossAt(h) - lossAt(-h)) / (2 * h) - slope);
      expect(
        Math.min(...differences.map(Math.abs)),
        `gradient of ${name} along a random line: ${slope}, off by ${differences}`,
      ).toBeLessThan(2e-3 + 0.01 * Math.abs(slope));
    }
  },

  "lets every parameter learn: no gradient is zero throughout"({ plugin, config }) {
    const trial = setUp(plugin, { config });
    const { gradients } = gradientsOf(trial, toBatch(trial, makeRows(trial, 24)), (at, batch) =>
      probeLoss(at, batch, { training: true }),
    );
    const dead = Object.keys(gradients).filter((name) => largest(gradients[name]!) === 0);
    expect(dead, "parameters without a gradient").toEqual([]);
  },

  "learns a tiny set by heart"({ plugin, config }) {
    const { before, after } = learnByHeart(setUp(plugin, { config, spread: 0 }), { target: 0.05, maxSteps: 400 });
    expect(before, "loss of a model that knows nothing").toBeCloseTo(Math.LN2, 5);
    expect(after, "loss after training").toBeLessThan(0.05);
  },

  async "gives the same loss and gradients compiled as eager"({ plugin, config }) {
    expectAgreement(await compareTraining(setUp(plugin, { config }), 6));
  },

  async "gives the same output compiled as eager, for any batch size from one graph"({ plugin, config }) {
    expectAgreement(await compareEvaluation(setUp(plugin, { config }), [1, 5]));
  },
} satisfies Readonly<Record<string, (subject: Subject) => void | Promise<void>>>;

function expectShapes(trial: Trial, rows: number, training = false): void {
  const { perTask, outputDim } = trial.backbone;
  const { representations, logitBias, statistics } = run(trial, toBatch(trial, makeRows(trial, rows)), { training });
  const shapes = representations.map((h) => h.shape);
  const expected = Array.from({ length: perTask ? trial.sizes.tasks : 1 }, () => [rows, outputDim]);
  expect(shapes, "shapes of the representations").toEqual(expected);
  if (logitBias) expect(logitBias.shape, "shape of the logits' bias").toEqual([rows, trial.sizes.tasks]);
  for (const [name, { shape }] of Object.entries(statistics))
    expect(shape.length === 2 && shape[0] === rows, `statistics ${name}: expected [${rows}, n], got [${shape}]`).toBe(
      true,
    );
  for (const h of outputsOf({ representations, logitBias, statistics, auxiliaryLosses: {} }))
    expectFinite(h.arraySync());
}

function expectAgreement(differences: Differences): void {
  const apart = Object.entries(differences).filter(([, difference]) => !(difference <= 1e-5));
  expect(apart, "compiled and eager differ by more than 1e-5").toEqual([]);
}

function expectFinite(values: readonly (readonly number[])[]): void {
  expect(
    values.flat().filter((x) => !Number.isFinite(x)),
    "outputs that are not finite",
  ).toEqual([]);
}
