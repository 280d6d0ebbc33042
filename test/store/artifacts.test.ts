import { createHash } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { claimed, openTestStore, readyDataset, newRun, storeIn, temporaryFolder } from "./testStore.ts";

const content = new TextEncoder().encode("weights");
const sha256 = createHash("sha256").update(content).digest("hex");

describe("artifacts", () => {
  it("are put and read by the hash of their content", async () => {
    const store = await openTestStore();
    const artifact = await store.artifacts.put(content, "checkpoint");
    expect(artifact).toMatchObject({ hash: sha256, bytes: 7, kind: "checkpoint" });
    expect(Buffer.from(await store.artifacts.read(sha256)).toString()).toBe("weights");
  });

  it("are files in two levels of folders, and rows", async () => {
    const folder = await temporaryFolder();
    const store = await openTestStore(folder);
    const artifact = await store.artifacts.put(content, "checkpoint");
    const path = join(storeIn(folder).artifactsFolder, sha256.slice(0, 2), sha256.slice(2, 4), sha256);
    expect(store.artifacts.path(sha256)).toBe(path);
    expect(await store.artifacts.byHashes([sha256, "other"])).toEqual([artifact]);
  });

  it("are copied from a file, which stays", async () => {
    const folder = await temporaryFolder();
    const store = await openTestStore(folder);
    const source = join(folder, "weights.bin");
    await writeFile(source, content);
    expect(await store.artifacts.put(source, "checkpoint")).toMatchObject({ hash: sha256, bytes: 7 });
    await store.artifacts.verify(sha256);
    expect(await readdir(folder)).toContain("weights.bin");
  });

  it("are stored once, however often they are put", async () => {
    const store = await openTestStore();
    const [first, second] = await Promise.all([
      store.artifacts.put(content, "checkpoint"),
      store.artifacts.put(content, "checkpoint"),
    ]);
    expect(second).toEqual({ ...first, createdAt: second.createdAt });
    expect(await store.artifacts.byHashes([first.hash])).toHaveLength(1);
  });

  it("are swept away ten minutes after they were put where no run refers to them", async () => {
    const store = await openTestStore();
    const { hash } = await store.artifacts.put(content, "training-state");
    await store.artifacts.sweep();
    expect(await store.artifacts.read(hash)).toHaveLength(content.length);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 601_000 });
    onTestFinished(() => void vi.useRealTimers());
    await store.artifacts.sweep();
    await expect(store.artifacts.read(hash)).rejects.toThrow("there is none");
    expect(await store.artifacts.byHashes([hash])).toEqual([]);
  });

  it("are left where somebody else has put the same content since, and is about to refer to it", async () => {
    const store = await openTestStore();
    const own = await store.artifacts.put(content, "training-state");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 1000 });
    onTestFinished(() => void vi.useRealTimers());
    const other = await store.artifacts.put(content, "training-state");
    await store.artifacts.collect(own);
    expect(await store.artifacts.read(sha256)).toHaveLength(content.length);
    await store.artifacts.collect(other);
    await expect(store.artifacts.read(sha256)).rejects.toThrow("there is none");
  });

  it("are taken away 30 days after the export or the batch prediction was finished whose result they are", async () => {
    const store = await openTestStore();
    const { id: datasetId } = await readyDataset(store);
    const made = await store.exports.create({ kind: "RUNS", format: "JSONL", spec: {} });
    const { hash } = await store.artifacts.put(content, "export");
    await store.exports.succeed(await claimed(store), { rows: 1, artifactHash: hash });
    const { id: runId } = await store.runs.create(newRun(datasetId));
    await claimed(store);
    const source = { runId, sourceFile: "rows.csv", sourceHash: "0", format: "JSONL" } as const;
    const batch = await store.batchPredictions.create(source);
    const predicted = await store.artifacts.put(new TextEncoder().encode("predicted"), "batch");
    await store.batchPredictions.succeed(await claimed(store), predicted.hash);

    const day = 86_400_000;
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 30 * day - 60_000 });
    onTestFinished(() => void vi.useRealTimers());
    await store.artifacts.sweep();
    expect(await store.artifacts.byHashes([hash, predicted.hash])).toHaveLength(2);
    vi.setSystemTime(Date.now() + 120_000);
    await store.artifacts.sweep();
    await expect(store.artifacts.read(hash)).rejects.toThrow("there is none");
    await expect(store.artifacts.read(predicted.hash)).rejects.toThrow("there is none");
    expect(await store.exports.get(made.id)).toMatchObject({ state: "SUCCEEDED", rows: 1, artifactHash: null });
    expect(await store.batchPredictions.get(batch.id)).toMatchObject({ state: "SUCCEEDED", artifactHash: null });
  });

  it("may be empty", async () => {
    const store = await openTestStore();
    const { hash, bytes } = await store.artifacts.put(new Uint8Array(), "checkpoint");
    expect(bytes).toBe(0);
    expect(await store.artifacts.read(hash)).toHaveLength(0);
  });

  it("are not disturbed by what a crash between writing and renaming has left", async () => {
    const folder = await temporaryFolder();
    const { artifactsFolder } = storeIn(folder);
    await mkdir(join(artifactsFolder, "temporary"), { recursive: true });
    await writeFile(join(artifactsFolder, "temporary", "half"), content.subarray(0, 3));
    const store = await openTestStore(folder);
    await expect(store.artifacts.read(sha256)).rejects.toThrow("there is none");
    await store.artifacts.put(content, "checkpoint");
    expect(await store.artifacts.read(sha256)).toHaveLength(7);
  });

  it("leave no temporary file where the source cannot be read", async () => {
    const folder = await temporaryFolder();
    const store = await openTestStore(folder);
    await expect(store.artifacts.put(join(folder, "missing.bin"), "checkpoint")).rejects.toThrow("ENOENT");
    expect(await readdir(join(storeIn(folder).artifactsFolder, "temporary"))).toEqual([]);
  });
});

describe("a damaged artifact", () => {
  it("is refused when it is read or verified, and repaired when it is put again", async () => {
    const store = await openTestStore();
    await store.artifacts.put(content, "checkpoint");
    await writeFile(store.artifacts.path(sha256), "wrights");
    const damaged = `artifact ${sha256}: the file is damaged: expected this sha256, but the content has`;
    await expect(store.artifacts.read(sha256)).rejects.toThrow(damaged);
    await expect(store.artifacts.verify(sha256)).rejects.toThrow(damaged);
    await store.artifacts.put(content, "checkpoint");
    await store.artifacts.verify(sha256);
  });

  it("is not found where the file is gone", async () => {
    const store = await openTestStore();
    await store.artifacts.put(content, "checkpoint");
    await rm(store.artifacts.path(sha256));
    const gone = {
      name: "NotFoundError",
      message: `artifact ${sha256}: expected a file in the artifacts folder, but there is none`,
    };
    await expect(store.artifacts.read(sha256)).rejects.toMatchObject(gone);
    await expect(store.artifacts.verify(sha256)).rejects.toMatchObject(gone);
  });
});
