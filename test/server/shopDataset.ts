/** A small dataset with a conditional task: a conversion counts only where there was a click. */
import type { TestServer } from "./testServer.ts";

/** 320 rows of home and search; of a row without a click nothing is known of the conversion. */
export function shopCsv(): string {
  const rows = Array.from({ length: 320 }, (_, i) => {
    const [user, item] = [(i * 7) % 12, (i * 5) % 9];
    const click = user % 3 === 0 || i % 11 === 0 ? 1 : 0;
    const conversion = click === 0 ? "" : (i * 31) % 7 < 3 ? 1 : 0;
    const part = i % 5 === 3 ? "valid" : i % 5 === 4 ? "test" : "train";
    return [`u${user}`, `i${item}`, Math.floor(i / 10) % 2, click, conversion, part].join(",");
  });
  return ["user,item,tab,click,conversion,part", ...rows, ""].join("\n");
}

export const shopInput = {
  name: "shop",
  file: "shop.csv",
  fields: [{ column: "user" }, { column: "item" }],
  scenario: {
    column: "tab",
    values: [
      { value: "0", scenario: "home" },
      { value: "1", scenario: "search" },
    ],
  },
  // The order is free.
  labels: [
    { column: "conversion", task: "conversion" },
    { column: "click", task: "click" },
  ],
  split: { kind: "COLUMN", column: "part", train: "train", validation: "valid", test: "test" },
};

/** Puts the file and registers its scenarios and tasks. */
export async function prepareShop({ put, query }: TestServer): Promise<void> {
  await put("shop.csv", shopCsv());
  const { errors } = await query(`mutation {
    home: registerScenario(input: { key: "home" }) { scenario { id } }
    search: registerScenario(input: { key: "search" }) { scenario { id } }
    click: registerTask(input: { key: "click" }) { task { id } }
    conversion: registerTask(input: { key: "conversion", onlyWhere: "click" }) { task { id } }
  }`);
  if (errors) throw new Error(errors[0]!.message);
}
