/** A folder of its own for every test, gone afterwards, and the small spec most tests of this folder start from. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { DatasetSpec } from "../../src/data/spec.ts";

export interface DataFolder {
  /** Path of a name in the folder. */
  path(name: string): string;
  write(name: string, content: string | Uint8Array): Promise<string>;
}

export function useDataFolder(): DataFolder {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "autoifs-data-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });
  const path = (name: string): string => join(folder, name);
  return {
    path,
    async write(name, content) {
      await writeFile(path(name), content);
      return path(name);
    },
  };
}

/** Two fields, one of them the scenario column. */
export const viewsSpec: DatasetSpec = {
  fields: [
    { column: "user", kind: "CATEGORICAL", minimumCount: 1 },
    { column: "tab", kind: "CATEGORICAL", minimumCount: 1 },
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

export const viewsCsv = `user,tab,click,like,part
anna,0,1,0,train
bert,0,0,0,train
anna,1,1,1,train
anna,0,0,0,valid
carl,1,1,0,test
`;
