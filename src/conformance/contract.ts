/**
 * What every backbone must do, as one list of rules. A plugin's test calls `describeBackbone` once; the rules can also be
 * called one by one, so that their own test can show that each of them catches what it is for.
 */
import * as tf from "@tensorflow/tfjs"; // all of it: the core alone has no gradients under Node
import { z } from "zod";
import type { BackbonePlugin, Params } from "../plugin/contract.ts";
import { check, checkEqual, checkNone } from "./check.ts";
import { compareEvaluation, compareTraining, type Differences } from "./compareCompiled.ts";
import { expectClose } from "./expectClose.ts";
import { learnByHeart } from "./learnByHeart.ts";
import { trainUnderHeads } from "./trainUnderHeads.ts";
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
   * The parameters and buffers after the scenarios are renamed: what was scenario `order[i]` is now scenario i. Needed
   * where some belong to scenarios; default: none do.
   */
  readonly permuteScenarios?: (params: Params, order: readonly number[], trial: Trial) => Params;
  /**
   * For a backbone that stops gradients by design: the names of what they do not pass through in full (parameters, or
   * "features"), where finite differences would see more. Default: none.
   */
  readonly stopsGradientOf?: readonly string[];
  /**
   * What a backbone with buffers mixes in training: the rows of the whole BATCH, as a batch norm does, or only those of one
   * SCENARIO, which is then held against it. Default: BATCH.
   */
  readonly mixesRowsOf?: "BATCH" | "SCENARIO";
}

/** One configuration of a plugin that the contract is to be shown for. */
export interface Configuration extends Omit<Subject, "plugin"> {
  /** Tells it apart from others of the plugin. Default: small. */
  readonly label?: string;
}

export const contract = {
  "has a strict configuration whose every member has a default and a description"({ plugin }) {
    const schema = z.toJSONSchema(plugin.config, { io: "input" });
    for (const [member, { description, default: value }] of Object.entries(schema.properties ?? {}) as [
      string,
      z.core.JSONSchema.BaseSchema,
    ][]) {
      check(Boolean(description), `config.${member}: expected a description, got none`);
      check(value !== undefined, `config.${member}: expected a default, got none`);
    }
    check(plugin.config.safeParse({}).success, "config: expected that {} is enough, but it is refused");
    const unknown = plugin.config.safeParse({ noSuchMember: 1 });
    check(!unknown.success, "config: expected that an unknown member is refused (z.strictObject), but it is accepted");
  },

  "builds and runs with its defaults at an ordinary size"({ plugin }) {
    const trial = setUp(plugin, { sizes: { fields: 8, embeddingDim: 16 } });
    const shapes = Object.values(trial.backbone.params).map(({ shape }) => shape);
    checkNone(
      shapes.filter((shape) => !shape.every((size) => Number.isInteger(size) && size > 0)),
      "shapes of parameters that are not whole and positive",
    );
    const count = parameterCount(trial.backbone);
    check(count > 0 && count < 50e6, `parameters with the defaults: expected 1 to 50 million, got ${count}`);
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
      const infinite = Object.keys(gradients).filter((name) => !Number.isFinite(largest(gradients[name]!)));
      checkNone(infinite, `gradients that are not finite, for ${scenarios} scenario(s) and ${tasks} task(s)`);
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
    checkNone(
      declared.filter((name) => !used.has(name)),
      "declared but not used",
    );
  },

  "is the same, bit for bit, when it is built and run again from the same seed"({ plugin, config }) {
    const [first, second] = [setUp(plugin, { config }), setUp(plugin, { config })];
    checkEqual(second.backbone.params, first.backbone.params, "parameters when built twice");
    const rows = makeRows(first, 5);
    for (const training of [false, true]) {
      const once = rowOutputs(first, rows, { training });
      checkEqual(rowOutputs(first, rows, { training }), once, "run twice");
      checkEqual(rowOutputs(second, rows, { training }), once, "built twice");
    }
  },

  "gives a row the same output whatever the other rows and their scenarios are"({ plugin, config }) {
    const trial = setUp(plugin, { config });
    const rows = makeRows(trial, 6);
    const { scenarios } = trial.sizes;
    const moved = rows.map((row): Row => ({ ...row, scenario: (row.scenario + 1) % scenarios }));
    const others = makeRows(trial, 6, 99).map((row) => ({ ...row, scenario: scenarios - 1 }));
    // A batch norm mixes the rows of a batch in training, and only there.
    for (const training of mixes(trial) ? [false] : [false, true]) {
      const together = rowOutputs(trial, rows, { training });
      rows.forEach((row, b) => {
        const alone = rowOutputs(trial, [row], { training });
        expectClose(alone, [together[b]!], `row ${b} alone`, 1e-6);
        for (const [what, batch] of [
          [`row ${b} when the other rows change scenario`, moved.with(b, row)],
          [`row ${b} among other rows`, others.with(b, row)],
        ] as const)
          expectClose([rowOutputs(trial, batch, { training })[b]!], [together[b]!], what, 1e-6);
      });
    }
  },

  "mixes in training no more than the rows of a scenario, where it says so"({ plugin, config, mixesRowsOf }) {
    const trial = setUp(plugin, { config });
    if (!mixes(trial) || mixesRowsOf !== "SCENARIO") return;
    const rows = makeRows(trial, 9);
    const others = makeRows(trial, 9, 99);
    const together = rowOutputs(trial, rows, { training: true });
    for (let scenario = 0; scenario < trial.sizes.scenarios; scenario += 1) {
      const isOwn = (b: number): boolean => rows[b]!.scenario === scenario;
      const changed = rowOutputs(
        trial,
        rows.map((row, b) => (isOwn(b) ? row : others[b]!)),
        { training: true },
      );
      const own = (table: readonly number[][]): number[][] => table.filter((_, b) => isOwn(b));
      expectClose(own(changed), own(together), `rows of scenario ${scenario} among other rows of the others`, 1e-6);
    }
  },

  "reorders its output when the batch is reordered"({ plugin, config }) {
    const trial = setUp(plugin, { config });
    const rows = makeRows(trial, 6);
    const order = [3, 0, 5, 1, 4, 2];
    const inOrder = <T>(of: readonly T[]): T[] => order.map((b) => of[b]!);
    for (const training of [false, true]) {
      const straight = rowOutputs(trial, rows, { training });
      expectClose(rowOutputs(trial, inOrder(rows), { training }), inOrder(straight), "reordered batch");
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
    const state = { ...trial.params, ...trial.buffers };
    const moved = permuteScenarios?.(state, order, trial) ?? state;
    const pick = (from: Params): Params => Object.fromEntries(Object.keys(from).map((name) => [name, moved[name]!]));
    const there = { ...trial, params: pick(trial.params), buffers: pick(trial.buffers) };
    expectClose(rowOutputs(there, renamed), rowOutputs(trial, rows), "renamed scenarios", 1e-6);
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
      const offBy: number[] = [];
      const agrees = [4e-3, 1e-3, 2.5e-4].some((h) => {
        offBy.push((lossAt(h) - lossAt(-h)) / (2 * h) - slope);
        return Math.abs(offBy.at(-1)!) < 2e-3 + 0.01 * Math.abs(slope);
      });
      check(agrees, `gradient of ${name} along a random line: ${slope}, off by ${offBy}`);
    }
  },

  "lets every parameter learn: no gradient is zero throughout"({ plugin, config }) {
    const trial = setUp(plugin, { config });
    const { gradients } = gradientsOf(trial, toBatch(trial, makeRows(trial, 24)), (at, batch) =>
      probeLoss(at, batch, { training: true }),
    );
    const dead = Object.keys(gradients).filter((name) => largest(gradients[name]!) === 0);
    checkNone(dead, "parameters without a gradient");
  },

  async "learns a tiny set by heart"({ plugin, config }) {
    const { before, after } = await learnByHeart(setUp(plugin, { config, spread: 0 }), { target: 0.05, maxSteps: 400 });
    check(Math.abs(before - Math.LN2) < 5e-6, `loss of a model that knows nothing: expected ln 2, got ${before}`);
    check(after < 0.05, `loss after training on eight rows: expected less than 0.05, got ${after}`);
  },

  async "trains under every head, compiled"({ plugin, config }) {
    for (const [head, { loss, gradients }] of Object.entries(await trainUnderHeads(plugin, config))) {
      check(Number.isFinite(loss), `loss under ${head}: expected a finite number, got ${loss}`);
      const wrong = Object.keys(gradients).filter((name) => !gradients[name]!.every(Number.isFinite));
      checkNone(wrong, `gradients under ${head} that are not finite`);
      const dead = Object.keys(gradients).filter((name) => gradients[name]!.every((x) => x === 0));
      check(dead.length < Object.keys(gradients).length, `gradients under ${head}: all are zero`);
    }
  },

  async "gives the same loss and gradients compiled as eager"({ plugin, config }) {
    expectAgreement(await compareTraining(setUp(plugin, { config }), 6));
  },

  async "gives the same output compiled as eager, for any batch size from one graph"({ plugin, config }) {
    expectAgreement(await compareEvaluation(setUp(plugin, { config }), [1, 5]));
  },
} satisfies Readonly<Record<string, (subject: Subject) => void | Promise<void>>>;

/** True where rows may meet in training. */
function mixes({ backbone }: Trial): boolean {
  return Object.keys(backbone.buffers ?? {}).length > 0;
}

function expectShapes(trial: Trial, rows: number, training = false): void {
  const { perTask, outputDim } = trial.backbone;
  const { representations, logitBias, statistics } = run(trial, toBatch(trial, makeRows(trial, rows)), { training });
  const shapes = representations.map((h) => h.shape);
  const expected = Array.from({ length: perTask ? trial.sizes.tasks : 1 }, () => [rows, outputDim]);
  checkEqual(shapes, expected, "shapes of the representations");
  if (logitBias) checkEqual(logitBias.shape, [rows, trial.sizes.tasks], "shape of the logits' bias");
  for (const [name, { shape }] of Object.entries(statistics))
    check(shape.length === 2 && shape[0] === rows, `statistics ${name}: expected [${rows}, n], got [${shape}]`);
  for (const h of outputsOf({ representations, logitBias, statistics, auxiliaryLosses: {} }))
    expectFinite(h.arraySync());
}

function expectAgreement(differences: Differences): void {
  const apart = Object.entries(differences).filter(([, difference]) => !(difference <= 1e-5));
  checkNone(apart, "compiled and eager differ by more than 1e-5");
}

function expectFinite(values: readonly (readonly number[])[]): void {
  checkNone(
    values.flat().filter((x) => !Number.isFinite(x)),
    "outputs that are not finite",
  );
}
