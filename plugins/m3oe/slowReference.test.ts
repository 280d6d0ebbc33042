/** M3oE against the same equations in plain loops, float64, one row at a time. */
import { beforeAll, describe, it } from "vitest";
import type { Params } from "#plugin";
import { expectClose, makeRows, rowOutputs, setUp, useReferenceBackend } from "#plugin/testing";
import m3oe from "./index.ts";

describe("m3oe agrees with a slow reference", () => {
  beforeAll(useReferenceBackend);

  it.each([
    { scenarios: 3, tasks: 2, layers: [6] },
    { scenarios: 1, tasks: 1, layers: [6] },
    { scenarios: 2, tasks: 3, layers: [5, 4] },
  ])("for $scenarios scenario(s), $tasks task(s), experts of $layers", ({ scenarios, tasks, layers }) => {
    const trial = setUp(m3oe, {
      config: { starWidth: 8, sharedWidth: 7, experts: 3, layers },
      sizes: { scenarios, tasks },
    });
    const sizes = { scenarios, tasks, experts: 3, layers: layers.length };
    const rows = makeRows(trial, 4);
    expectClose(
      rowOutputs(trial, rows),
      rows.map(({ features, scenario }) => slowM3oe(trial.params, sizes, features, scenario).flat()),
    );
  });
});

interface SlowSizes {
  readonly scenarios: number;
  readonly tasks: number;
  readonly experts: number;
  readonly layers: number;
}

/** Representations [task][H] of a row. */
function slowM3oe(params: Params, sizes: SlowSizes, x: readonly number[], scenario: number): number[][] {
  const { scenarios, tasks, experts, layers } = sizes;
  const list = (name: string): number[] => Array.from(params[name]!.dataSync());
  const cell = (name: string, i: number, j: number): number => {
    const columns = params[name]!.shape[1]!;
    return params[name]!.dataSync()[i * columns + j]!;
  };
  const sigmoid = (name: string): number => 1 / (1 + Math.exp(-list(name)[0]!));
  const linear = (name: string, y: readonly number[]): number[] =>
    list(`${name}.bias`).map((b, j) => b + y.reduce((sum, value, i) => sum + value * cell(`${name}.kernel`, i, j), 0));
  const block = (name: string, y: readonly number[]): number[] => {
    const a = linear(name, y);
    const mean = a.reduce((sum, v) => sum + v, 0) / a.length;
    const variance = a.reduce((sum, v) => sum + (v - mean) ** 2, 0) / a.length;
    const [gamma, beta] = [list(`${name}.gamma`), list(`${name}.beta`)];
    return a.map((v, j) => Math.max(0, (gamma[j]! * (v - mean)) / Math.sqrt(variance + 1e-5) + beta[j]!));
  };
  const expert = (name: string, z: readonly number[]): number[] =>
    Array.from({ length: layers }, (_, l) => `${name}.${l}`).reduce<readonly number[]>(
      (y, layer) => block(layer, y),
      z,
    ) as number[];

  const width = list("star.bias").length;
  const u = list("star.bias").map((b, j) => {
    const own = scenario * width + j;
    const product = x.reduce(
      (sum, v, i) => sum + v * cell("star.kernel", i, j) * cell("star.scenario.kernel", i, own),
      0,
    );
    return product + b + list("star.scenario.bias")[own]!;
  });
  const skip = block("skip", x);
  const z = block("inner", u).map((v, j) => v + skip[j]!);

  const count = (n: number, name: (i: number) => string): number[][] =>
    Array.from({ length: n }, (_, i) => expert(name(i), z));
  const common = count(experts, (k) => `common.expert${k}`);
  const ofScenarios = count(scenarios, (s) => `scenario${s}.expert`);
  const ofTasks = count(tasks, (t) => `task${t}.expert`);
  /** β·E_i + (1 − β)/(n − 1)·Σ of the others. */
  const balance = (all: readonly number[][], i: number, name: string): number[] =>
    all[i]!.map((own, j) => {
      if (all.length === 1) return own;
      const others = all.reduce((sum, e, k) => (k === i ? sum : sum + e[j]!), 0);
      return sigmoid(name) * own + ((1 - sigmoid(name)) / (all.length - 1)) * others;
    });

  return Array.from({ length: tasks }, (_, t) => {
    const logits = linear(`task${t}.gate`, z).slice(scenario * experts, (scenario + 1) * experts);
    const exponentials = logits.map((logit) => Math.exp(logit));
    const total = exponentials.reduce((sum, v) => sum + v, 0);
    const [p, q] = [balance(ofScenarios, scenario, "balance.scenarios"), balance(ofTasks, t, "balance.tasks")];
    return p.map((_, j) => {
      const c = common.reduce((sum, e, k) => sum + (exponentials[k]! / total) * e[j]!, 0);
      return c + sigmoid("fusion.scenarios") * p[j]! + sigmoid("fusion.tasks") * q[j]!;
    });
  });
}
