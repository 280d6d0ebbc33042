import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/random.ts";
import { useDataFolder } from "./dataFolder.ts";
import { amount, category, partOf, warningsAbout } from "./leakageData.ts";
import type { Row } from "./leakageData.ts";

const folder = useDataFolder();

interface Video {
  rows: number;
  clicks: number;
  trainingRows: number;
  trainingClicks: number;
}

type Figure = (video: Video, name: string) => number;

/** 3000 views of 60 videos, some clicked more than others, with figures of the video in columns of their names. */
function viewsWith(figures: Readonly<Record<string, Figure>>): Row[] {
  const random = createRandom(1, "views");
  const videos = Array.from({ length: 60 }, () => ({ rows: 0, clicks: 0, trainingRows: 0, trainingClicks: 0 }));
  const views = Array.from({ length: 3000 }, (_, row) => {
    const index = Math.floor(60 * random.uniform() ** 2);
    const click = random.uniform() < 0.1 + (index % 10) / 20 ? 1 : 0;
    const seen = Number(partOf(row) === "train");
    const video = videos[index]!;
    video.rows++;
    video.clicks += click;
    video.trainingRows += seen;
    video.trainingClicks += seen * click;
    return { video: `v${index}`, tab: row % 2, click, part: partOf(row) };
  });
  return views.map((view) => {
    const video = videos[Number(view.video.slice(1))]!;
    return {
      ...view,
      ...Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, figure(video, view.video)])),
    };
  });
}

async function warningsOf(figures: Readonly<Record<string, Figure>>) {
  const views = viewsWith(figures);
  const fields = [category("video"), category("tab"), ...Object.keys(figures).map(amount)];
  return { views, warnings: await warningsAbout(folder, views, fields) };
}

describe("a field that is a statistic of all rows", () => {
  it("is named with the entity, the statistic, and values that can be looked up", async () => {
    const { views, warnings } = await warningsOf({ like_cnt: ({ clicks }) => clicks });

    expect(warnings).toEqual([
      {
        kind: "STATISTICS_OF_ALL_ROWS",
        message: expect.stringMatching(
          /^The field "like_cnt" is the sum of click per "video" in all splits: over 60 values the correlation is 1\.0000, with training alone 0\.9\d\d\d\. /,
        ),
        column: "like_cnt",
        task: "click",
        split: null,
        rows: null,
        share: null,
        evidence: {
          entity: "video",
          statistic: "SUM",
          entities: 60,
          correlation: expect.closeTo(1, 9),
          trainingCorrelation: expect.any(Number),
          examples: expect.any(Array),
        },
      },
    ]);
    const examples = warnings[0]!.evidence["examples"] as Record<"value" | "field" | "all" | "training", unknown>[];
    expect(examples).toHaveLength(3);
    for (const { value, field, all, training } of examples) {
      const clicks = views.filter((view) => view["video"] === value && view["click"] === 1);
      expect([field, all]).toEqual([clicks.length, clicks.length]);
      expect(training).toBe(clicks.filter((view) => view["part"] === "train").length);
    }
  });

  it("may be a mean, also rounded, or the number of rows, also as a share", async () => {
    const { warnings } = await warningsOf({
      ctr: ({ clicks, rows }) => Number((clicks / rows).toFixed(3)),
      show_cnt: ({ rows }) => rows,
      popularity: ({ rows }) => rows / 3000,
    });
    expect(warnings.map(({ column, task, evidence }) => [column, task, evidence["statistic"]])).toEqual([
      ["ctr", "click", "MEAN"],
      ["show_cnt", null, "COUNT"],
      ["popularity", null, "COUNT"],
    ]);
    expect(warnings[1]!.message).toContain('is the number of rows per "video" in all splits');
  });
});

describe("a field that is not", () => {
  it("is left alone: made of training, only related, the same everywhere, or too large to reckon with", async () => {
    const random = createRandom(2, "noise");
    const noise = Array.from({ length: 60 }, () => random.normal());
    const { warnings } = await warningsOf({
      training_cnt: ({ trainingClicks }) => trainingClicks,
      training_ctr: ({ trainingClicks, trainingRows }) => trainingClicks / Math.max(1, trainingRows),
      related: ({ clicks }, name) => clicks + 3 * noise[Number(name.slice(1))]!,
      constant: () => 5,
      large: ({ clicks }) => clicks * 1e200,
    });
    expect(warnings).toEqual([]);
  });
});
