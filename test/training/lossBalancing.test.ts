import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { createEngine } from "../../src/engine/engines.ts";
import { createRandom } from "../../src/random.ts";
import {
  type GradientRule,
  sumOfLosses,
  weightedLosses,
  weightedLossesWithNorms,
} from "../../src/training/lossBalancing/gradientRules.ts";
import { createLossBalancer } from "../../src/training/lossBalancing/lossBalancer.ts";
import { fillTaskOrder, projectedGradients } from "../../src/training/lossBalancing/projectedGradients.ts";
import {
  gradNormWeights,
  logVarianceGradient,
  uncertaintyWeights,
} from "../../src/training/lossBalancing/taskWeights.ts";

/**
 * A problem whose gradients are plain: x (the gathered embeddings) and p (a parameter), L_t = |x − a_t|² + b_t·p, and
 * beside them |p|² / 2.
 */
interface Problem {
  readonly x: readonly number[];
  readonly p: readonly number[];
  readonly a: readonly (readonly number[])[];
  readonly b: readonly (readonly number[])[];
}

const opposite: Problem = {
  x: [0, 0],
  p: [0.5, -1],
  a: [
    [1, 0],
    [-2, 0.5],
  ],
  b: [
    [1, 1],
    [-1, 0.5],
  ],
};

function randomProblem(tasks: number, seed: number): Problem {
  const random = createRandom(seed, "problem");
  const numbers = (): number[] => Array.from({ length: 3 }, () => random.normal());
  return {
    x: numbers(),
    p: numbers(),
    a: Array.from({ length: tasks }, numbers),
    b: Array.from({ length: tasks }, numbers),
  };
}

const dot = (u: readonly number[], v: readonly number[]): number => u.reduce((sum, value, i) => sum + value * v[i]!, 0);
const plus = (u: readonly number[], v: readonly number[], factor = 1): number[] =>
  u.map((value, i) => value + factor * v[i]!);

/** In float64: losses [T], gradients [T] of x and p side by side, and the gradient of what is beside them. */
function slowGradients({ x, p, a, b }: Problem) {
  const losses = a.map((target, t) => dot(plus(x, target, -1), plus(x, target, -1)) + dot(b[t]!, p));
  const gradients = a.map((target, t) => [...x.map((value, i) => 2 * (value - target[i]!)), ...b[t]!]);
  return {
    losses,
    gradients,
    further: [...x.map(() => 0), ...p],
    total: losses.reduce((s, l) => s + l, dot(p, p) / 2),
  };
}

/** PCGrad as the paper writes it, on the vectors themselves. */
function slowProjection(gradients: readonly (readonly number[])[], orderOf: (task: number) => readonly number[]) {
  const projected = gradients.map((gradient, task) => {
    let left = [...gradient];
    for (const other of orderOf(task)) {
      const g = gradients[other]!;
      const along = dot(left, g);
      if (along < 0) left = plus(left, g, -along / dot(g, g));
    }
    return left;
  });
  return projected.reduce((sum, left) => plus(sum, left));
}

let engines: readonly Engine[];
beforeAll(async () => {
  engines = [await createEngine("compiled"), await createEngine("cpu")];
});

/** What a rule makes of problems of one size, on one engine. */
async function compiledRule(engine: Engine, rule: GradientRule, { x, p, a }: Problem) {
  const program = await engine.compile(
    (inputs) => {
      const result = rule.differentiate(
        ([features, parameter]) => {
          const apart = tf.square(tf.sub(features!, inputs["a"]!)); // [T, n]
          const taskLosses = tf.add(tf.sum(apart, 1), tf.sum(tf.mul(inputs["b"]!, parameter!), 1)) as tf.Tensor1D;
          return {
            taskLosses,
            further: tf.div(tf.sum(tf.square(parameter!)), 2),
            buffers: { seen: tf.sum(features!) },
          };
        },
        [inputs["x"]!, inputs["p"]!],
        inputs,
      );
      const [ofX, ofP] = result.gradients;
      return { ...result.outputs, ...result.buffers, loss: result.loss, ofX: ofX!, ofP: ofP! };
    },
    {
      ...rule.inputs,
      x: { shape: [x.length] },
      p: { shape: [p.length] },
      a: { shape: [a.length, x.length] },
      b: { shape: [a.length, p.length] },
    },
  );
  return async (problem: Problem, given: Record<string, Float32Array>) => {
    const [own, targets] = [
      { x: Float32Array.from(problem.x), p: Float32Array.from(problem.p) },
      { a: Float32Array.from(problem.a.flat()), b: Float32Array.from(problem.b.flat()) },
    ];
    const outputs = await program.run({ ...given, ...own, ...targets });
    return { measured: outputs, gradient: [...outputs["ofX"]!, ...outputs["ofP"]!] };
  };
}

async function differentiated(
  engine: Engine,
  rule: GradientRule,
  problem: Problem,
  given: Record<string, Float32Array>,
) {
  return (await compiledRule(engine, rule, problem))(problem, given);
}

function expectClose(actual: ArrayLike<number>, expected: readonly number[], tolerance = 2e-5): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(Math.abs(actual[i]! - value)).toBeLessThan(tolerance);
}

describe("the gradient of a step", () => {
  const { losses, gradients, further, total } = slowGradients(opposite);

  it("of equal losses is that of their sum", async () => {
    for (const engine of engines) {
      const { gradient, measured } = await differentiated(engine, sumOfLosses, opposite, {});
      expectClose(
        gradient,
        gradients.reduce((sum, g) => plus(sum, g), further),
      );
      expectClose(measured["loss"]!, [total]);
      expectClose(measured["seen"]!, [0]);
    }
  });

  it("of weighted losses is that of the weighted sum; the loss that is told is not weighted", async () => {
    for (const engine of engines) {
      const weights = Float32Array.of(0.25, 3);
      const result = await differentiated(engine, weightedLosses(2), opposite, { weights });
      expectClose(
        result.gradient,
        gradients.reduce((sum, g, t) => plus(sum, g, weights[t]), further),
      );
      expectClose(result.measured["losses"]!, losses);
      expectClose(result.measured["loss"]!, [total]);
      expectClose(result.measured["seen"]!, [0]);
    }
  });

  it("is measured task by task for GradNorm: norms with respect to the gathered embeddings", async () => {
    for (const engine of engines) {
      const weights = Float32Array.of(0.5, 2);
      const { measured, gradient } = await differentiated(engine, weightedLossesWithNorms(2), opposite, { weights });
      const ofX = gradients.map((g) => g.slice(0, 2));
      expectClose(
        measured["norms"]!,
        ofX.map((g) => Math.sqrt(dot(g, g))),
      );
      expectClose(
        gradient,
        gradients.reduce((sum, g, t) => plus(sum, g, weights[t]), further),
      );
    }
  });
});

describe("PCGrad", () => {
  const orderInput = (tasks: number, seed: number) => {
    const order = new Float32Array((tasks - 1) * tasks * tasks);
    fillTaskOrder(order, tasks, createRandom(seed, "order"));
    const at = (place: number, task: number) => {
      const row = order.subarray((place * tasks + task) * tasks, (place * tasks + task + 1) * tasks);
      return row.indexOf(1);
    };
    const orderOf = (task: number) => Array.from({ length: tasks - 1 }, (_, place) => at(place, task));
    return { order, orderOf };
  };

  it("of two opposite tasks leaves no step that makes one of them worse", async () => {
    const { gradients, further } = slowGradients(opposite);
    expect(dot(gradients[0]!, gradients[1]!)).toBeLessThan(0);
    const given = { order: orderInput(2, 1).order };
    const { gradient } = await differentiated(engines[0]!, projectedGradients(2), opposite, given);
    for (const g of gradients) expect(dot(g, plus(gradient, further, -1))).toBeGreaterThan(0);
  });

  it("of tasks that agree is the plain sum", async () => {
    const agreeing = { ...opposite, a: [opposite.a[0]!, [2, 0]], b: [opposite.b[0]!, opposite.b[0]!] };
    const { gradients, further } = slowGradients(agreeing);
    const given = { order: orderInput(2, 1).order };
    const result = await differentiated(engines[0]!, projectedGradients(2), agreeing, given);
    expectClose(result.measured["coefficients"]!, [1, 1]);
    expectClose(
      result.gradient,
      gradients.reduce((sum, g) => plus(sum, g), further),
    );
  });

  it.each([2, 3, 5])("of %i tasks equals the projections of the vectors, to 2e-5", async (tasks) => {
    for (const [at, engine] of engines.entries()) {
      const run = await compiledRule(engine, projectedGradients(tasks), randomProblem(tasks, 0));
      for (let seed = 0; seed < 4; seed++) {
        const problem = randomProblem(tasks, seed);
        const { gradients, further, total } = slowGradients(problem);
        const { order, orderOf } = orderInput(tasks, seed + at);
        const result = await run(problem, { order });
        expectClose(result.gradient, plus(slowProjection(gradients, orderOf), further));
        expectClose(result.measured["loss"]!, [total]);
        const combined = gradients.reduce((sum, g, t) => plus(sum, g, result.measured["coefficients"]![t]), further);
        expectClose(result.gradient, combined);
      }
    }
  });

  it("draws an order of the other tasks for every task and step, the same for the same seed and step", () => {
    const tasks = ["a", "b", "c", "d"];
    const orders = [7, 7, 8].map((seed) => {
      const balancer = createLossBalancer({ kind: "PCGRAD" }, { tasks, learningRate: 0.1, seed });
      return [0, 1, 0].map((step) => balancer.inputs(step)["order"]!.join(""));
    });
    expect(orders[0]).toEqual(orders[1]);
    expect(orders[0]).not.toEqual(orders[2]);
    expect(orders[0]![0]).toBe(orders[0]![2]);
    expect(orders[0]![0]).not.toBe(orders[0]![1]);
    for (let task = 0; task < 4; task++) {
      const others = [0, 1, 2, 3].filter((t) => t !== task);
      expect(orderInput(4, 3).orderOf(task).toSorted()).toEqual(others);
    }
  });
});

describe("uncertainty weighting", () => {
  it("follows the gradient of Σ e^(−s) L + s / 2 (finite differences, 1e-6)", () => {
    const losses = Float32Array.of(0.7, 0.05, 2);
    const s = Float32Array.of(0, -1.5, 0.75);
    const objective = (at: readonly number[]) =>
      losses.reduce((sum, loss, t) => sum + Math.exp(-at[t]!) * loss + at[t]! / 2, 0);
    const step = 1e-5;
    for (const [t, gradient] of logVarianceGradient(losses, s).entries()) {
      const moved = (by: number) => Array.from(s, (value, i) => (i === t ? value + by : value));
      expect(Math.abs((objective(moved(step)) - objective(moved(-step))) / (2 * step) - gradient)).toBeLessThan(1e-6);
    }
  });

  it("steps as Adam does, with the rate of the run (float64, 1e-5)", () => {
    const random = createRandom(1, "losses");
    const rule = uncertaintyWeights(2, 0.01);
    const s = [0, 0];
    const moments = [0, 1].map(() => ({ m: 0, v: 0 }));
    for (let step = 1; step <= 50; step++) {
      const losses = Float32Array.of(random.uniform(), 0.1 * random.uniform());
      rule.afterStep({ losses }, step);
      for (const [t, at] of moments.entries()) {
        const g = 0.5 - Math.exp(-s[t]!) * losses[t]!;
        at.m = 0.9 * at.m + 0.1 * g;
        at.v = 0.999 * at.v + 0.001 * g * g;
        s[t]! -= (0.01 * at.m) / (1 - 0.9 ** step) / (Math.sqrt(at.v / (1 - 0.999 ** step)) + 1e-8);
      }
      expectClose(
        rule.weights,
        s.map((value) => Math.exp(-value)),
        1e-5,
      );
    }
  });

  it("ends at the weight 1 / (2 L) of a loss that stays", () => {
    const rule = uncertaintyWeights(2, 0.02);
    for (let step = 1; step <= 1000; step++) rule.afterStep({ losses: Float32Array.of(0.25, 1) }, step);
    expectClose(rule.weights, [2, 0.5], 0.01);
  });
});

describe("GradNorm", () => {
  const settings = { asymmetry: 1.5, learningRate: 0.025 };

  it("equals a slow reference (float64, 1e-5), and its weights always sum to the number of tasks", () => {
    const random = createRandom(2, "steps");
    const rule = gradNormWeights(3, settings);
    let w = [1, 1, 1];
    let first: readonly number[] = [];
    for (let step = 1; step <= 50; step++) {
      const losses = [0.7, 0.3, 0.05].map((loss) => Math.fround(loss * (0.8 + 0.4 * random.uniform())));
      const norms = [0.01, 0.2, 0.002].map((norm) => Math.fround(norm * (0.8 + 0.4 * random.uniform())));
      rule.afterStep({ losses: Float32Array.from(losses), norms: Float32Array.from(norms) }, step);
      if (step === 1) first = losses;
      const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / 3;
      const G = norms.map((norm, t) => w[t]! * norm);
      const relative = losses.map((loss, t) => loss / first[t]!);
      const target = relative.map((r) => mean(G) * (r / mean(relative)) ** 1.5);
      // d/d ln w_t of Σ |G_t − target|, the target held, in units of the mean norm.
      const slope = G.map((norm, t) => (Math.sign(norm - target[t]!) * norm) / mean(G));
      const moved = w.map((weight, t) => weight * Math.exp(-0.025 * slope[t]!));
      w = moved.map((weight) => (3 * weight) / (3 * mean(moved)));
      expectClose(rule.weights, w, 1e-5);
      expect(Math.abs(rule.weights.reduce((sum, weight) => sum + weight, 0) - 3)).toBeLessThan(1e-5);
    }
  });

  it("lowers the weight of a task with a large gradient until the gradients have one size", () => {
    const rule = gradNormWeights(2, settings);
    const measured = { losses: Float32Array.of(0.5, 0.5), norms: Float32Array.of(0.9, 0.1) };
    for (let step = 1; step <= 300; step++) rule.afterStep(measured, step);
    expectClose(rule.weights, [0.2, 1.8], 0.05);
  });

  it("gives a task that learns slowly the larger gradient", () => {
    const rule = gradNormWeights(2, { ...settings, asymmetry: 1 });
    const norms = Float32Array.of(0.3, 0.3);
    rule.afterStep({ losses: Float32Array.of(1, 1), norms }, 1);
    // The second has fallen to a third of the first: the norms are to stand as 1.5 to 0.5.
    for (let step = 2; step <= 200; step++) rule.afterStep({ losses: Float32Array.of(0.9, 0.3), norms }, step);
    expectClose(rule.weights, [1.5, 0.5], 0.05);
  });

  it("stays where it is when nothing has a gradient", () => {
    const rule = gradNormWeights(2, settings);
    rule.afterStep({ losses: Float32Array.of(0.1, 0.2), norms: Float32Array.of(0, 0) }, 1);
    expect([...rule.weights]).toEqual([1, 1]);
  });
});

describe("what the tasks weighed in an epoch", () => {
  const options = { tasks: ["click", "like"], learningRate: 0.1, seed: 1 };

  it("are the given weights of FIXED, 1 for a task without one", () => {
    const balancer = createLossBalancer({ kind: "FIXED", weights: [{ task: "like", weight: 4 }] }, options);
    expect([...balancer.inputs(0)["weights"]!]).toEqual([1, 4]);
    expect(balancer.epochWeights()).toEqual([
      { task: "click", weight: 1 },
      { task: "like", weight: 4 },
    ]);
  });

  it("is the mean of the weights with which its steps were made", () => {
    const balancer = createLossBalancer({ kind: "UNCERTAINTY" }, options);
    const weights: number[][] = [];
    balancer.beginEpoch();
    for (let step = 1; step <= 5; step++) {
      weights.push([...balancer.inputs(step - 1)["weights"]!]);
      balancer.outputs["losses"]!.set([0.2, 0.9]);
      balancer.afterStep(step);
    }
    const means = [0, 1].map((t) => weights.reduce((sum, w) => sum + w[t]!, 0) / 5);
    expectClose(
      balancer.epochWeights().map(({ weight }) => weight),
      means,
      1e-6,
    );
    balancer.beginEpoch();
    expect(balancer.epochWeights().map(({ weight }) => weight)).toEqual([0, 0]);
  });

  it("a single task has no other to be balanced with", () => {
    const balancer = createLossBalancer({ kind: "PCGRAD" }, { ...options, tasks: ["click"] });
    expect(balancer.rule).toBe(sumOfLosses);
  });
});
