import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { imported, prepareSmall } from "./smallDataset.ts";
import { autoIfs, backbone, hyperParameters, trainModel } from "./smallModels.ts";
import { eventually, startTestServer } from "./testServer.ts";

it("A server that ends gives the training in hand back to the queue, in the same attempt", async () => {
  const folder = await mkdtemp(join(tmpdir(), "autoifs-restart-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const read = `query ($id: ID!) { run(id: $id) { state attempt error { message } progress { step } } }`;

  const first = await startTestServer({ folder, workers: 1 });
  await prepareSmall(first);
  const input = {
    dataset: await imported(first),
    backbone,
    head: autoIfs,
    hyperParameters: { ...hyperParameters, search: { epochs: 1000 } },
  };
  const { id } = (await first.query(trainModel, { input })).data.trainModel.run;
  const { run } = await eventually(async () => {
    const { data } = await first.query(read, { id });
    return data.run.progress || data.run.error ? data : undefined;
  });
  expect(run).toMatchObject({ state: "RUNNING", error: null });
  await first.close();

  const second = await startTestServer({ folder });
  expect((await second.query(read, { id })).data.run).toMatchObject({ state: "QUEUED", attempt: 1 });
  await second.close();
});
