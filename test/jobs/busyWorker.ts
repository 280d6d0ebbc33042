/**
 * A process that uses a shared store from all sides at once: registers scenarios and datasets, puts artifacts, and works
 * on the queue until `total` datasets are READY. Prints the jobs it did as one line of JSON.
 *
 *   busyWorker.ts <folder> <owner> <datasets to register> <total>
 */
import { setTimeout as pause } from "node:timers/promises";
import { workQueue } from "../../src/jobs/workQueue.ts";
import { openStore } from "../../src/store/store.ts";

const [folder, owner, own, total] = process.argv.slice(2) as [string, string, string, string];
const store = await openStore({ databaseFile: `${folder}/autoifs.db`, artifactsFolder: `${folder}/artifacts` });
const done: string[] = [];
const stop = new AbortController();

const work = workQueue({
  store,
  owner,
  signal: stop.signal,
  pollMs: 2,
  handlers: {
    async IMPORT_DATASET(job) {
      done.push(job.jobId);
      const { hash } = await store.artifacts.put(new TextEncoder().encode("the same everywhere"), "dataset");
      await store.datasets.markReady(job, {
        contentHash: hash,
        rows: 1,
        manifest: { hash },
        artifactHashes: [hash],
        counts: [],
      });
    },
    TRAIN: () => Promise.reject(new Error("busyWorker: expected imports only")),
    ADVANCE_EXPERIMENT: () => Promise.reject(new Error("busyWorker: expected imports only")),
  },
});

for (let i = 0; i < Number(own); i++) {
  await store.scenarios.create({ key: `${owner}-${i}`, name: "", description: "" });
  await store.datasets.create({ name: "shared", sourceFile: `${owner}-${i}.csv`, spec: {} });
}
const allReady = async () =>
  (await store.datasets.list({ first: Number(total), status: "READY" })).rows.length === Number(total);
while (!(await allReady())) await pause(10);
stop.abort();
await work;
await store.close();
console.log(JSON.stringify(done));
