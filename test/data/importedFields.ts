/** Imports a few lines with the given fields: what the tests of each kind of field start from. */
import { readFile } from "node:fs/promises";
import { readSplit } from "../../src/data/arrowFiles.ts";
import { importDataset } from "../../src/data/importDataset.ts";
import type { DatasetManifest } from "../../src/data/manifest.ts";
import type { DatasetSpec, FieldSpec, Split, SplitRows } from "../../src/data/spec.ts";
import { transformFromJson } from "../../src/data/transform.ts";
import type { FieldTransform, Transform } from "../../src/data/transform.ts";
import { viewsSpec } from "./dataFolder.ts";
import type { DataFolder } from "./dataFolder.ts";

export interface Imported {
  readonly manifest: DatasetManifest;
  readonly transform: Transform;
  rows(split: Split): Promise<SplitRows>;
}

export const fieldsSpec = (fields: readonly FieldSpec[]): DatasetSpec => ({
  ...viewsSpec,
  fields,
  labels: [{ column: "click", task: "click" }],
});

/** `lines`: the columns of `header`; those of scenario, label and split (tab 0, click 1) are added, the split as it is given. */
export async function importFields(
  folder: DataFolder,
  input: {
    readonly header: string;
    readonly train: readonly string[];
    /** Validation and test; default: the first training line. */
    readonly validation?: readonly string[];
    readonly test?: readonly string[];
    readonly fields: readonly FieldSpec[];
    readonly vocabulary?: readonly FieldTransform[];
    readonly out?: string;
  },
): Promise<Imported> {
  const { header, train, fields, vocabulary, out = "out" } = input;
  const { validation = [train[0]!], test = [train[0]!] } = input;
  const lines = [
    ...train.map((line) => `${line},0,1,train`),
    ...validation.map((line) => `${line},0,1,valid`),
    ...test.map((line) => `${line},0,1,test`),
  ];
  const file = await folder.write(`${out}.csv`, `${header},tab,click,part\n${lines.join("\n")}\n`);
  return importFile(folder, file, fields, vocabulary, out);
}

export async function importFile(
  folder: DataFolder,
  file: string,
  fields: readonly FieldSpec[],
  vocabulary?: readonly FieldTransform[],
  out = "out",
): Promise<Imported> {
  const outFolder = folder.path(out);
  const known = vocabulary ? { vocabulary } : {};
  const manifest = await importDataset({ file, spec: fieldsSpec(fields), outFolder, ...known });
  return {
    manifest,
    transform: transformFromJson(JSON.parse(await readFile(folder.path(`${out}/transform.json`), "utf8"))),
    rows: (split) => readSplit(folder.path(`${out}/${split}.arrow`)),
  };
}
