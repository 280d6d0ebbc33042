import { describe, expect, it } from "vitest";
import { createTransform } from "../../../src/data/transform.ts";
import { encodeBatch } from "../../../src/services/prediction/encodeBatch.ts";
import type { PredictionParts } from "../../../src/services/prediction/predict.ts";
import { rank } from "../../../src/services/prediction/rank.ts";
import type { RankInput } from "../../../src/services/prediction/rank.ts";
import { receivedError } from "../../../src/services/prediction/sentErrors.ts";

/** Probabilities of click and like by item; of one that is unknown those of the last. */
const probabilities = [
  [0.5, 0.1],
  [0.25, 0.9],
  [0.75, 0.2],
  [0.5, 0.6],
  [0.1, 0.1],
] as const;
const items = ["i0", "i1", "i2", "i3"];

const transform = createTransform({
  version: 1,
  fields: [
    { column: "item", kind: "CATEGORICAL", values: items },
    { column: "age", kind: "NUMERIC", bucketing: { kind: "BOUNDARIES", boundaries: [30] }, values: ["0", "1"] },
  ],
  scenario: { column: "tab", values: [{ value: "0", scenario: "home" }] },
  tasks: ["click", "like"],
});

/** With a model that answers as the table says. */
const parts = {
  runReader: { get: (id: string) => Promise.resolve({ id, state: "SUCCEEDED" }) },
  observers: [],
  pool: {
    predict({ request }: { request: Parameters<typeof encodeBatch>[2][number] }) {
      const { rows, ids, scenario, parts: answers } = encodeBatch(transform, ["home"], [request]);
      const [answer] = answers;
      if ("error" in answer!) return Promise.reject(receivedError(answer.error));
      const values = Array.from({ length: rows }, (_, row) => probabilities[ids[row * 2]!]!).flat();
      const facts = { scenarios: ["home"], tasks: ["click", "like"], columns: ["item", "age"] };
      return Promise.resolve({ ...answer!, facts, rows, ids, scenario, probabilities: Float64Array.from(values) });
    },
  },
} as unknown as PredictionParts;

const candidates = items.map((item) => ({ id: item, values: { item } }));
const click = { task: "click", weight: 1 };
const like = { task: "like", weight: 0.5 };

const ranked = (changes: Partial<RankInput>) =>
  rank(parts, {
    run: "run_1",
    scenario: "home",
    context: { age: 40 },
    candidates,
    top: 10,
    combine: "WEIGHTED_SUM",
    terms: [click],
    ...changes,
  });

const orderOf = async (changes: Partial<RankInput>) => (await ranked(changes)).candidates.map(({ id }) => id);

describe("rank", () => {
  it("sorts candidates by the probability of a task, equal ones as they were named", async () => {
    const { candidates: best, modelVersion, unknownValues } = await ranked({});
    expect(best.map(({ index, id, score }) => [index, id, score])).toEqual([
      [2, "i2", 0.75],
      [0, "i0", 0.5],
      [3, "i3", 0.5],
      [1, "i1", 0.25],
    ]);
    expect(best[0]!.tasks.map(({ taskKey, probability }) => [taskKey, probability])).toEqual([
      ["click", 0.75],
      ["like", 0.2],
    ]);
    expect({ modelVersion, unknownValues }).toEqual({ modelVersion: null, unknownValues: [] });
  });

  it("gives the best of them alone", async () => {
    expect(await orderOf({ top: 1 })).toEqual(["i2"]);
  });

  it("takes several tasks together by a weighted sum", async () => {
    const { candidates: best } = await ranked({ terms: [click, like] });
    expect(best.map(({ id, score }) => [id, score])).toEqual([
      ["i2", 0.75 + 0.5 * 0.2],
      ["i3", 0.5 + 0.5 * 0.6],
      ["i1", 0.25 + 0.5 * 0.9],
      ["i0", 0.5 + 0.5 * 0.1],
    ]);
    expect(
      await orderOf({
        terms: [
          { ...click, weight: -1 },
          { ...like, weight: 0 },
        ],
      }),
    ).toEqual(["i1", "i0", "i3", "i2"]);
  });

  it("takes them together by a weighted product, which what is hopeless in one does not survive", async () => {
    const { candidates: best } = await ranked({ terms: [click, like], combine: "WEIGHTED_PRODUCT" });
    expect(best.map(({ id, score }) => [id, score])).toEqual([
      ["i3", 0.5 * 0.6 ** 0.5],
      ["i2", 0.75 * 0.2 ** 0.5],
      ["i1", 0.25 * 0.9 ** 0.5],
      ["i0", 0.5 * 0.1 ** 0.5],
    ]);
  });

  it("takes a value of the candidate before that of the context, and counts unknown ones", async () => {
    const own = [{ values: { item: "new" } }, { values: {} }];
    const { candidates: best, unknownValues } = await ranked({ candidates: own, context: { item: "i2", age: 40 } });
    expect(best.map(({ index, id, score }) => [index, id, score])).toEqual([
      [1, null, 0.75],
      [0, null, 0.1],
    ]);
    expect(unknownValues).toEqual([{ column: "item", rows: 1 }]);
  });
});

describe("rank refuses", () => {
  const refused = (changes: Partial<RankInput>): Promise<string> =>
    ranked(changes).then(
      () => "nothing",
      ({ message, detail }: { message: string; detail: { field: string } }) => {
        expect(message.startsWith(`${detail.field}: `)).toBe(true);
        return message;
      },
    );

  it("a formula that cannot be used", async () => {
    const combine = "WEIGHTED_PRODUCT";
    const weighing = (weight: number) => ({ terms: [{ ...click, weight }] });
    expect(await refused({ terms: [] })).toBe("terms: expected 1 to 20 terms, got 0");
    expect(await refused({ terms: [click, { task: "buy", weight: 1 }] })).toBe(
      'terms[1].task: expected one of "click", "like", got "buy"',
    );
    expect(await refused({ terms: [click, click] })).toBe('terms[1].task: expected every task once, got "click"');
    expect(await refused(weighing(101))).toBe("terms[0].weight: expected a number from -100 to 100, got 101");
    expect(await refused({ ...weighing(-1), combine })).toBe(
      "terms[0].weight: expected a number from 0 to 100, got -1",
    );
    expect(await refused(weighing(NaN))).toBe("terms[0].weight: expected a number from -100 to 100, got NaN");
  });

  it("no candidates, or more or less of them than there may be", async () => {
    expect(await refused({ candidates: [] })).toBe("candidates: expected 1 to 1000 candidates, got 0");
    expect(await refused({ top: 0 })).toBe("top: expected 1 to 1000, got 0");
    expect(await refused({ top: 1001 })).toBe("top: expected 1 to 1000, got 1001");
    expect(await refused({ candidates: [{ id: "", values: {} }] })).toBe(
      "candidates[0].id: expected 1 to 255 characters, got 0",
    );
    expect(await refused({ run: null })).toBe("run: expected either a run or a model, got neither");
  });

  it("values that cannot be used, where they were given", async () => {
    expect(await refused({ context: [] })).toBe("context: expected an object of values by column, got []");
    expect(await refused({ candidates: [...candidates, { values: 1 }] })).toBe(
      "candidates[4].values: expected an object of values by column, got 1",
    );
    expect(await refused({ context: { age: "old" } })).toBe('context.age: expected a finite number, got "old"');
    expect(await refused({ candidates: [{ values: { item: [] } }] })).toMatch(
      /^candidates\[0\]\.values\.item: expected a text/,
    );
    expect(await refused({ candidates: [...candidates, { values: {} }] })).toMatch(
      /^candidates\[4\]\.values\.item: expected a value, got nothing/,
    );
    expect(await refused({ scenario: "office" })).toBe('scenario: expected one of "home", got "office"');
  });
});
