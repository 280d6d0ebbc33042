import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, it } from "vitest";
import mmoe from "../../plugins/mmoe/index.ts";
import ple from "../../plugins/ple/index.ts";
import sharedBottom from "../../plugins/shared-bottom/index.ts";
import type { Params } from "../../src/plugin/contract.ts";
import { expectClose, makeRows, rowOutputs, setUp, useReferenceBackend } from "#plugin/testing";

describe("one backbone contains another", () => {
  beforeAll(useReferenceBackend);

  it("mmoe with one expert is shared-bottom, once per task", () => {
    const trunk = setUp(sharedBottom, { config: { layers: [8, 6] } });
    const single = setUp(mmoe, { config: { experts: 1, layers: [8, 6] } });
    const rows = makeRows(trunk, 5);
    const params = { ...single.params, ...renamed(trunk.params, /^layer\./, "expert0.") };
    expectClose(
      rowOutputs({ ...single, params }, rows),
      rowOutputs(trunk, rows).map((row) => [...row, ...row]),
    );
  });

  it("ple with one level, one task and no shared experts is mmoe with one task", () => {
    const sizes = { tasks: 1 };
    const mixture = setUp(mmoe, { config: { experts: 3, layers: [8, 6] }, sizes });
    const level = setUp(ple, { config: { levels: [[8, 6]], specificExperts: 3, sharedExperts: 0 }, sizes });
    const rows = makeRows(mixture, 5);
    const params = renamed(
      renamed(mixture.params, /^expert/, "level0.task0.expert"),
      /^task0\.gate\.out/,
      "level0.task0.gate",
    );
    expectClose(rowOutputs({ ...level, params }, rows), rowOutputs(mixture, rows));
  });

  it("ple with equal experts of one level is shared-bottom", () => {
    const trunk = setUp(sharedBottom, { config: { layers: [6] } });
    const level = setUp(ple, { config: { levels: [[6]] } });
    const copies = Object.keys(level.params).map((name): [string, tf.Tensor] => {
      const part = /expert\d\.(0\..*)$/.exec(name)?.[1];
      return [name, part === undefined ? level.params[name]! : trunk.params[`layer.${part}`]!];
    });
    const rows = makeRows(trunk, 5);
    expectClose(
      rowOutputs({ ...level, params: Object.fromEntries(copies) }, rows),
      rowOutputs(trunk, rows).map((row) => [...row, ...row]),
    );
  });
});

function renamed(params: Params, from: RegExp, to: string): Params {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name.replace(from, to), value]));
}
