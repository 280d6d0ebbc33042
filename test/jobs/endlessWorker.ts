/** A worker whose trainings never end: prints a line when it has begun one, and waits to be killed. */
import { setTimeout as pause } from "node:timers/promises";
import { workQueue } from "../../src/jobs/workQueue.ts";
import { openStore } from "../../src/store/store.ts";

const [folder, owner, leaseMs] = process.argv.slice(2) as [string, string, string];
const store = await openStore({ databaseFile: `${folder}/autoifs.db`, artifactsFolder: `${folder}/artifacts` });

await workQueue({
  store,
  owner,
  signal: new AbortController().signal,
  leaseMs: Number(leaseMs),
  handlers: {
    IMPORT_DATASET: () => Promise.reject(new Error("endlessWorker: expected a training")),
    ADVANCE_EXPERIMENT: () => Promise.reject(new Error("endlessWorker: expected a training")),
    async TRAIN(job) {
      await store.runs.recordProgress(job, { epoch: 1 });
      console.log("begun");
      await pause(3_600_000);
    },
  },
});
