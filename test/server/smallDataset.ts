/** A dataset small enough to train on in a second: a click depends on the user, and in search nobody likes anything. */
import { eventually } from "./testServer.ts";
import type { TestServer } from "./testServer.ts";

/** 300 rows, 8 : 1 : 1, 220 of them from home, in columns user, item, age, tab, click, like, part. */
export function smallCsv(): string {
  const rows = Array.from({ length: 300 }, (_, i) => {
    const user = (i * 7) % 12;
    const item = (i * 5) % 9;
    const tab = Math.floor(i / 10) % 4 === 0 ? 1 : 0;
    const click = user % 3 === 0 ? 1 : 0;
    const like = tab === 0 && (user + item) % 4 === 0 ? 1 : 0;
    const part = i % 10 === 8 ? "valid" : i % 10 === 9 ? "test" : "train";
    return [`u${user}`, `i${item}`, 20 + (i % 40), tab, click, like, part].join(",");
  });
  return ["user,item,age,tab,click,like,part", ...rows, ""].join("\n");
}

export const smallInput = {
  name: "small",
  file: "small.csv",
  fields: [
    { column: "user" },
    { column: "item", minimumCount: 2 },
    { column: "age", kind: "NUMERIC", bucketing: { kind: "QUANTILES", count: 4 } },
    { column: "tab" },
  ],
  scenario: {
    column: "tab",
    values: [
      { value: "0", scenario: "home" },
      { value: "1", scenario: "search" },
    ],
  },
  labels: [
    { column: "click", task: "click" },
    { column: "like", task: "like" },
  ],
  split: { kind: "COLUMN", column: "part", train: "train", validation: "valid", test: "test" },
};

/** Puts the file and registers its scenarios and tasks. */
export async function prepareSmall({ put, query }: TestServer): Promise<void> {
  await put("small.csv", smallCsv());
  const { errors } = await query(`mutation {
    home: registerScenario(input: { key: "home", name: "Home feed" }) { scenario { id } }
    search: registerScenario(input: { key: "search", name: "Search" }) { scenario { id } }
    click: registerTask(input: { key: "click" }) { task { id } }
    like: registerTask(input: { key: "like" }) { task { id } }
  }`);
  if (errors) throw new Error(errors[0]!.message);
}

export const registerDataset = `mutation ($input: RegisterDatasetInput!) {
  registerDataset(input: $input) { dataset { id status } created }
}`;

/** Registers a dataset; needs a server with a worker to wait until it is READY or FAILED. Answers its id. */
export async function imported(server: TestServer, input: object = smallInput): Promise<string> {
  const { data, errors } = await server.query(registerDataset, { input });
  if (errors) throw new Error(errors[0]!.message);
  const { id } = data.registerDataset.dataset;
  return eventually(async () => {
    const answer = await server.query(`query ($id: ID!) { dataset(id: $id) { status } }`, { id });
    return answer.data.dataset.status === "IMPORTING" ? undefined : id;
  });
}

/** Waits until a run has ended; answers its state. */
export async function ended({ query }: TestServer, id: string): Promise<string> {
  return eventually(async () => {
    const { data } = await query(`query ($id: ID!) { run(id: $id) { state } }`, { id });
    return ["QUEUED", "RUNNING"].includes(data.run.state) ? undefined : data.run.state;
  });
}
