import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config.ts";
import { openObservation } from "../../src/observe/observation.ts";
import { startMadeServer } from "./madeRuns.ts";
import { backbone, trainModel } from "./smallModels.ts";
import { eventually } from "./testServer.ts";

const exportRuns = `mutation { exportRuns(input: {}) { export { id } } }`;
const read = `query ($run: ID!, $export: ID!) { run(id: $run) { state } export(id: $export) { state rows } }`;

describe("a worker process", () => {
  it("exports beside the training it is at, however long that takes", async () => {
    const made = await startMadeServer();
    const { query, files } = made.server;
    const observation = await openObservation({
      process: "worker",
      version: "test",
      logFormat: "json",
      logLevel: "error",
      tracesUrl: "",
      write: (line) => expect(line).toBeUndefined(),
    });
    const app = await openApp(
      loadConfig({ AUTOIFS_DATA: join(files, ".."), AUTOIFS_PLUGIN_TRIAL_SECONDS: "0" }),
      observation,
    );
    const stop = new AbortController();
    const dataset = await made.imported();
    const work = app.work("worker-1", stop.signal);
    const endless = { embeddingDim: 4, batchSize: 64, maxEpochs: 1000, patience: 1000 };
    const input = { dataset, backbone, head: { kind: "TOWERS", layers: [4] }, hyperParameters: endless };
    const { data, errors } = await query(trainModel, { input });
    expect(errors).toBeUndefined();
    const run = data.trainModel.run.id;
    const states = async (id: string) => (await query(read, { run, export: id })).data;
    await eventually(async () => (await states("")).run.state === "RUNNING" || undefined);

    const { id } = (await query(exportRuns)).data.exportRuns.export;
    await eventually(async () => (await states(id)).export.state === "SUCCEEDED" || undefined);
    expect(await states(id)).toEqual({ run: { state: "RUNNING" }, export: { state: "SUCCEEDED", rows: 1 } });

    await query(`mutation ($id: ID!) { cancelRun(input: { run: $id }) { run { state } } }`, { id: run });
    stop.abort();
    await work;
    await app.close();
    await observation.close();
    await made.close();
  });
});
