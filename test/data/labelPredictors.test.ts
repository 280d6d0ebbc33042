import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/random.ts";
import { useDataFolder } from "./dataFolder.ts";
import { amount, category, partOf, warningsAbout } from "./leakageData.ts";
import type { Row } from "./leakageData.ts";

const folder = useDataFolder();

/** 2000 rows with a click in 30 %, whatever the user and the tab. */
function rowsWith(more: (click: number, row: number, uniform: () => number) => Row): Row[] {
  const random = createRandom(1, "rows");
  return Array.from({ length: 2000 }, (_, row) => {
    const click = random.uniform() < 0.3 ? 1 : 0;
    const user = Math.floor(random.uniform() * 500);
    const tab = random.uniform() < 0.5 ? 1 : 0;
    return { user, tab, click, part: partOf(row), ...more(click, row, random.uniform) };
  });
}

const held = (rows: readonly Row[]): Row[] => rows.filter(({ part }) => part !== "train");
const fields = [category("user"), category("tab")];

describe("a field that alone predicts a label", () => {
  it("is reported with its AUC per scenario", async () => {
    const rows = rowsWith((click, _, uniform) => ({ watched: click === 1 ? 20 + 80 * uniform() : 15 * uniform() }));

    const warnings = await warningsAbout(folder, rows, [...fields, amount("watched")]);

    const cell = { rows: expect.any(Number), positives: expect.any(Number), auc: expect.closeTo(1, 2) };
    expect(warnings).toEqual([
      {
        kind: "LABEL_PREDICTED_BY_FIELD",
        message: expect.stringMatching(
          /^The field "watched" alone predicts click almost perfectly: .* the 400 validation and test rows with an AUC of (1\.0000|0\.99\d\d) in home, /,
        ),
        column: "watched",
        task: "click",
        split: null,
        rows: 400,
        share: null,
        evidence: {
          everyNthValue: 1,
          cells: [
            { scenario: "home", ...cell },
            { scenario: "search", ...cell },
          ],
        },
      },
    ]);
  });

  it("has the AUC that counting pairs gives", async () => {
    // Six values with a share of positives of their own each, and in the test two rows that speak against it.
    let against = 0;
    const rows = rowsWith((click, row) => {
      const lies =
        partOf(row) === "train" ? row % (20 + (row % 3)) === 3 : click === 0 && row % 10 === 9 && against++ < 2;
      return { tab: 0, hint: `${lies ? 1 - click : click}${row % 3}` };
    });
    const share = (hint: unknown): number => {
      const seen = rows.filter((row) => row["part"] === "train" && row["hint"] === hint);
      return seen.filter((row) => row["click"] === 1).length / seen.length;
    };
    const [positives, negatives] = [1, 0].map((click) =>
      held(rows)
        .filter((row) => row["click"] === click)
        .map((row) => share(row["hint"])),
    ) as [number[], number[]];
    let wins = 0;
    for (const one of positives) for (const other of negatives) wins += one > other ? 1 : one === other ? 0.5 : 0;
    const auc = wins / (positives.length * negatives.length);
    expect(auc).toBeLessThan(0.999);

    const [warning] = await warningsAbout(folder, rows, [...fields, category("hint")]);

    expect(warning!.evidence["cells"]).toEqual([
      { scenario: "home", rows: 400, positives: positives.length, auc: expect.closeTo(auc, 12) },
    ]);
  });

  it("is not one that helps as a field should, nor one whose values are all new", async () => {
    const rows = rowsWith((click, row, uniform) => ({ row, watched: click === 1 ? 100 * uniform() : 40 * uniform() }));
    expect(await warningsAbout(folder, rows, [...fields, category("row"), amount("watched")])).toEqual([]);
  });

  it("is not one where the label is always the same, or too few rows have the other", async () => {
    const rows = rowsWith((_, row) => ({ never: 0, rare: Number(row % 60 === 19), watched: Number(row % 60 === 19) }));
    const labels = ["never", "rare"].map((column) => ({ column, task: column }));
    expect(await warningsAbout(folder, rows, [...fields, category("watched")], { labels })).toEqual([]);
  });
});

describe("values that give a label away", () => {
  it("are named when they never have the other label and many rows have them", async () => {
    const rows = rowsWith((click, _, uniform) => ({
      tab: 0,
      reason: click === 1 && uniform() < 0.3 ? "refund" : "none",
    }));

    const [warning, ...rest] = await warningsAbout(folder, rows, [...fields, category("reason")]);

    expect(rest).toEqual([]);
    expect(warning).toMatchObject({
      kind: "LABEL_PREDICTED_BY_FIELD",
      column: "reason",
      task: "click",
      evidence: { cells: [{ scenario: "home", label: 1, values: ["refund"] }] },
    });
    expect(warning!.message).toMatch(
      /^Values of the field "reason" give click away: 1 in home with 1\d\d training rows and \d\d others, all of label 1 \(\d\d(\.\d)? %/,
    );
    const refunds = held(rows).filter((row) => row["reason"] === "refund").length;
    const clicks = held(rows).filter((row) => row["click"] === 1).length;
    expect(warning).toMatchObject({ rows: refunds, share: refunds / clicks });
  });

  it("are nothing to speak of when one row in validation or test has the other label", async () => {
    let exceptions = 0;
    const rows = rowsWith((click, row, uniform) => {
      const exception = click === 0 && partOf(row) === "test" && exceptions++ === 0;
      return { tab: 0, reason: exception || (click === 1 && uniform() < 0.3) ? "refund" : "none" };
    });
    expect(await warningsAbout(folder, rows, [...fields, category("reason")])).toEqual([]);
  });
});
