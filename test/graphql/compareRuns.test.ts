import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { madeRun, startMadeServer } from "../server/madeRuns.ts";
import type { MadeServer } from "../server/madeRuns.ts";

const compare = `query ($baseline: [ID!]!, $candidate: [ID!]!, $split: Split! = TEST) {
  compareRuns(baseline: $baseline, candidate: $candidate, split: $split) {
    baseline { id } candidate { id } split paired protocol { fingerprint }
    auc { better worse withinNoise none }
    logloss { better worse withinNoise none }
    cells {
      scenario { key } task { key } rows positives
      auc { baseline candidate difference low high verdict reason spread }
      logloss { baseline candidate difference low high verdict reason spread }
    }
  }
}`;

let made: MadeServer;
let dataset: string;
/** Seeds 1 to 4 of a configuration, and of one that is clearly better. */
let plain: string[];
let better: string[];

beforeAll(async () => {
  made = await startMadeServer();
  dataset = await made.imported();
  plain = await seeds(1, [1, 2, 3, 4]);
  better = await seeds(2, [1, 2, 3, 4]);
});
afterAll(() => made.close());

async function seeds(skill: number, all: readonly number[]): Promise<string[]> {
  const ids: string[] = [];
  for (const seed of all) ids.push(await madeRun(made.store, { dataset, seed, skill }));
  return ids;
}

async function compared(
  baseline: readonly string[],
  candidate: readonly string[],
  split = "TEST",
): Promise<Comparison> {
  const { data, errors } = await made.server.query(compare, { baseline, candidate, split });
  if (errors) throw new Error(errors[0]!.message);
  return data.compareRuns;
}

describe("compareRuns", () => {
  it("tells for two seeds of one training that their difference is noise", async () => {
    const { cells, ...comparison } = await compared([plain[0]!], [plain[1]!]);
    expect(comparison).toEqual({
      baseline: [{ id: plain[0] }],
      candidate: [{ id: plain[1] }],
      split: "TEST",
      paired: true,
      protocol: { fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) },
      auc: { better: 0, worse: 0, withinNoise: 3, none: 1 },
      logloss: { better: 0, worse: 0, withinNoise: 3, none: 1 },
    });
    expect(cells.map(({ scenario, task }) => `${scenario.key} × ${task.key}`)).toEqual([
      "home × click",
      "home × like",
      "search × click",
      "search × like",
    ]);
  });

  it("tells which of two configurations is better, from one seed of each or from several", async () => {
    for (const [from, to] of [
      [plain.slice(0, 1), better.slice(0, 1)],
      [plain.slice(0, 3), better.slice(0, 3)],
    ] as const) {
      const upward = { better: 3, worse: 0, withinNoise: 0, none: 1 };
      expect(await compared(from, to)).toMatchObject({ auc: upward, logloss: upward });
      const downward = { better: 0, worse: 3, withinNoise: 0, none: 1 };
      expect(await compared(to, from)).toMatchObject({ auc: downward, logloss: downward });
    }
  });

  it("has the figures of the runs' own matrices, and an interval around their difference", async () => {
    const document = `query ($id: ID!) { run(id: $id) { matrix { cells { auc logloss rows positives } } } }`;
    const ids = [...plain.slice(0, 2), better[0]!];
    const [a, b, c] = await Promise.all(
      ids.map(async (id) => (await made.server.query(document, { id })).data.run.matrix.cells),
    );
    const { cells } = await compared(plain.slice(0, 2), [better[0]!]);
    cells.slice(0, 3).forEach((cell, index) => {
      expect(cell).toMatchObject({ rows: a[index].rows, positives: a[index].positives });
      for (const metric of ["auc", "logloss"] as const) {
        const { baseline, candidate, difference, low, high } = cell[metric];
        expect(baseline).toBeCloseTo((a[index][metric] + b[index][metric]) / 2, 12);
        expect(candidate).toBeCloseTo(c[index][metric], 12);
        expect(difference).toBe(candidate! - baseline!);
        expect(low).toBeLessThan(difference!);
        expect(high).toBeGreaterThan(difference!);
      }
    });
  });

  it("says why a cell has no verdict", async () => {
    const { cells } = await compared([plain[0]!], [plain[1]!]);
    const last = cells.at(-1)!;
    expect(last).toMatchObject({ positives: 0, auc: { verdict: null, reason: "ONE_CLASS", difference: null } });
    const difference = expect.any(Number);
    expect(last.logloss).toMatchObject({ verdict: null, reason: "NO_INTERVAL", difference, low: null, spread: null });
  });

  it("knows the spread of seeds from repetitions, borrows it from other configurations, or else assumes one", async () => {
    const spreadOf = async (baseline: string, candidate: string) =>
      (await compared([baseline], [candidate])).cells[0]!.auc.spread;
    const alone = await madeRun(made.store, { dataset, seed: 1, skill: 3 });
    expect(await spreadOf(alone, plain[0]!)).toBe("MEASURED");

    const elsewhere = await made.imported({ name: "elsewhere", group: { column: "user" } });
    const [first, second] = [
      await madeRun(made.store, { dataset: elsewhere, seed: 1, skill: 1 }),
      await madeRun(made.store, { dataset: elsewhere, seed: 2, skill: 1 }),
    ];
    expect(await spreadOf(first, second)).toBe("ASSUMED");
  });

  it("gives the same whatever the order of the ids, and when it is asked again", async () => {
    const one = await compared(plain.slice(0, 2), better.slice(0, 1));
    expect(await compared([plain[1]!, plain[0]!], better.slice(0, 1))).toEqual(one);
  });

  it("compares by the stored figures where a run has no predictions, less sharply", async () => {
    const sharp = (await compared([plain[0]!], [better[3]!])).cells[0]!.auc;
    made.forgetPredictions(better[3]!);
    const comparison = await compared([plain[0]!], [better[3]!]);
    expect(comparison.paired).toBe(false);
    const blunt = comparison.cells[0]!.auc;
    expect(blunt.difference).toBeCloseTo(sharp.difference!, 12);
    expect(blunt.high! - blunt.low!).toBeGreaterThan(sharp.high! - sharp.low!);
  });
});

describe("the protocol of a run", () => {
  const protocol = `query ($id: ID!) {
    run(id: $id) { configurationHash protocol { fingerprint parts { name value } } }
  }`;

  it("is the same for all runs on a dataset, whatever their model", async () => {
    const [a, b] = await Promise.all(
      [plain[0], better[0]].map(async (id) => (await made.server.query(protocol, { id })).data.run),
    );
    expect(a.protocol).toEqual(b.protocol);
    expect(a.configurationHash).not.toBe(b.configurationHash);
    const names = ["DATA", "SPLIT", "LABELS", "SCENARIOS", "TRANSFORM", "GROUP", "CELLS", "METRICS"];
    expect(a.protocol.parts.map(({ name }: { name: string }) => name)).toEqual(names);
    expect(a.protocol.parts.slice(5)).toEqual([
      { name: "GROUP", value: "none" },
      { name: "CELLS", value: "all" },
      { name: "METRICS", value: "1" },
    ]);
  });

  it("where it differs nothing is ranked, and the refusal says in what, with both values", async () => {
    const other = await made.imported({
      name: "grouped",
      group: { column: "user" },
      labels: [{ column: "click", task: "click" }],
    });
    const run = await madeRun(made.store, { dataset: other, seed: 1, skill: 1 });
    const hashOf = async (id: string): Promise<string> =>
      (await made.server.query(`query ($id: ID!) { dataset(id: $id) { contentHash } }`, { id })).data.dataset
        .contentHash;
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(await made.server.refused(compare, { baseline: [plain[0]], candidate: [run] })).toMatchObject({
      message: `candidate: expected runs measured under one protocol, but ${plain[0]} and ${run} differ in DATA, LABELS, TRANSFORM, GROUP`,
      code: "CONFLICT",
      field: "candidate",
      differences: [
        { part: "DATA", baseline: await hashOf(dataset), candidate: await hashOf(other) },
        { part: "LABELS", baseline: hash, candidate: hash },
        { part: "TRANSFORM", baseline: hash, candidate: hash },
        { part: "GROUP", baseline: "none", candidate: "user" },
      ],
    });
  });
});

interface Figure {
  readonly baseline: number | null;
  readonly candidate: number | null;
  readonly difference: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly spread: string | null;
}

interface Comparison {
  readonly paired: boolean;
  readonly cells: readonly {
    readonly scenario: { readonly key: string };
    readonly task: { readonly key: string };
    readonly auc: Figure;
    readonly logloss: Figure;
  }[];
}
