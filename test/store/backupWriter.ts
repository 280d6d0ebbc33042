/**
 * Writes into a store until it is killed: a training that saves itself again and again, each time with the state before taken
 * away, and a scenario and a task after each. Prints a line when it has begun, and one after each round.
 */
import { openStore } from "../../src/store/store.ts";

const [folder] = process.argv.slice(2) as [string];
const store = await openStore({
  databaseFile: `${folder}/database/autoifs.db`,
  artifactsFolder: `${folder}/artifacts`,
});

const { dataset } = await store.datasets.create({ name: "clicks", sourceFile: "clicks.csv", spec: {} });
const importing = (await store.jobs.claim({ owner: "writer", leaseMs: 600_000, kinds: ["IMPORT_DATASET"] }))!;
await store.datasets.markReady(importing, {
  contentHash: "c0ffee",
  rows: 1,
  manifest: { files: {} },
  artifactHashes: [],
  counts: [],
});
const { id: runId } = await store.runs.create({
  kind: "SEARCH",
  datasetId: dataset.id,
  backboneName: "mmoe",
  backboneConfig: {},
  head: { kind: "AUTOIFS" },
  hyperParameters: {},
  configurationHash: "mmoe",
  seed: 1,
  engine: "compiled",
});
const training = (await store.jobs.claim({ owner: "writer", leaseMs: 600_000, kinds: ["TRAIN"] }))!;
console.log(runId);
for (let round = 1; ; round++) {
  const { hash } = await store.artifacts.put(new TextEncoder().encode(`state ${round}`), "training-state");
  const before = await store.runs.saveTraining(training, { hash, isModel: false, epoch: round, step: 0 });
  if (before !== null) await store.artifacts.collect({ hash: before, createdAt: new Date() });
  await store.scenarios.create({ key: `scenario_${round}`, name: "", description: "" });
  await store.tasks.create({ key: `task_${round}`, name: "", description: "" });
  console.log(round);
}
