import { describe, expect, it } from "vitest";
import { watchLeases } from "../../src/jobs/lapsedLeases.ts";
import { workQueue } from "../../src/jobs/workQueue.ts";
import { newRun, succeededWith, openTestStore, readyDataset, temporaryFolder } from "../store/testStore.ts";
import { startChild } from "./childProcess.ts";
import { recordedLog } from "./recordedLog.ts";

describe("the run of a worker that is killed", () => {
  it("returns to the queue when the lease lapses, and another worker ends it", async () => {
    const folder = await temporaryFolder();
    const store = await openTestStore(folder);
    const { id: datasetId } = await readyDataset(store);
    const run = await store.runs.create(newRun(datasetId));

    const doomed = startChild("endlessWorker", [folder, "doomed", "600"]);
    expect(await doomed.nextLine()).toBe("begun");
    doomed.process.kill("SIGKILL");
    expect((await doomed.end()).signal).toBe("SIGKILL");
    expect(await store.runs.get(run.id)).toMatchObject({ state: "RUNNING", leaseOwner: "doomed", attempt: 1 });

    const { hash } = await store.artifacts.put(new Uint8Array([1]), "checkpoint");
    const stop = new AbortController();
    const log = recordedLog();
    await workQueue({
      store,
      owner: "heir",
      signal: stop.signal,
      pollMs: 20,
      log,
      handlers: {
        IMPORT_DATASET: () => Promise.reject(new Error("expected a training")),
        ADVANCE_EXPERIMENT: () => Promise.reject(new Error("expected a training")),
        async TRAIN(job) {
          await store.runs.succeed(job, succeededWith(hash));
          stop.abort();
        },
      },
    });
    expect(await store.runs.get(run.id)).toMatchObject({ state: "SUCCEEDED", attempt: 2, progress: { epoch: 1 } });
    expect(log.messages).toEqual([
      expect.stringMatching(/^job job_\w+: doomed stopped answering in attempt 1; the job is now QUEUED$/),
    ]);
  });

  it("returns to the queue though there is no other worker: the server watches too", async () => {
    const folder = await temporaryFolder();
    const store = await openTestStore(folder);
    const { id: datasetId } = await readyDataset(store);
    const run = await store.runs.create(newRun(datasetId));
    await store.jobs.claim({ owner: "doomed", leaseMs: -1 });
    const stop = new AbortController();
    const warn = (message: string): void => {
      expect(message).toContain("doomed stopped answering in attempt 1; the job is now QUEUED");
      stop.abort();
    };
    const log = { ...recordedLog(), warn };
    await watchLeases({ store, maxAttempts: 3, log, intervalMs: 3_600_000, signal: stop.signal });
    expect(await store.runs.get(run.id)).toMatchObject({ state: "QUEUED", attempt: 2, leaseOwner: null });
  });
});
