/**
 * `npm run bench -- responsiveness`: how fast the embedded server answers `{ __typename }` while its worker trains a model
 * of the paper's size. The requests come from a process of their own, at a modest rate.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { graphqlClient, type Query } from "../examples/demo/client.ts";
import { loadConfig } from "../src/config.ts";
import { startServer } from "../src/server/startServer.ts";
import type { Options } from "./options.ts";
import { inTemporaryFolder } from "./searchAndPrune.ts";
import { registeredDataset, until } from "./registeredDataset.ts";

export const summary = "answer times of the API under training load (--seconds 15, --rate 50)";

const batchSize = 4096;
const trainingRows = 48_000;

export async function run(options: Options): Promise<Record<string, number>> {
  const seconds = options.number("seconds", 15);
  const rate = options.number("rate", 50);
  return inTemporaryFolder(async (folder) => {
    const config = loadConfig({ AUTOIFS_DATA: folder, AUTOIFS_PORT: "0" });
    const server = await startServer(config);
    try {
      const query = graphqlClient(server.url);
      const file = "synth.csv.gz";
      await copyFile(new URL(`../examples/synth/${file}`, import.meta.url), join(config.filesFolder, file));
      const training = await beginTraining(query, await registeredDataset(query, file));
      const [begun, rowsBefore] = [performance.now(), await training.rowsDone()];
      const times = await answerTimes(`${server.url}/graphql`, rate, seconds);
      const rows = (await training.rowsDone()) - rowsBefore;
      const trainingSamplesPerSecond = Math.round((rows / (performance.now() - begun)) * 1000);
      return {
        typenameP50Ms: percentile(times, 0.5),
        typenameP99Ms: percentile(times, 0.99),
        requests: times.length,
        trainingSamplesPerSecond,
      };
    } finally {
      await server.close();
    }
  });
}

/** A search that lasts longer than the measurement, begun once its first steps are done. */
async function beginTraining(query: Query, dataset: string): Promise<{ rowsDone(): Promise<number> }> {
  const { trainModel } = await query<{ trainModel: { run: { id: string } } }>(
    `mutation ($input: TrainModelInput!) { trainModel(input: $input) { run { id } } }`,
    {
      input: {
        dataset,
        backbone: { plugin: "shared-bottom", config: { layers: [1024, 512] } },
        hyperParameters: { batchSize, search: { epochs: 1000 } },
      },
    },
  );
  const { id } = trainModel.run;
  const rowsDone = async (): Promise<number> => {
    const { run } = await query<{
      run: { error: { message: string } | null; progress: { epoch: number; step: number } | null };
    }>(`query ($id: ID!) { run(id: $id) { error { message } progress { epoch step } } }`, { id });
    if (run.error) throw new Error(run.error.message);
    const { epoch, step } = run.progress ?? { epoch: 1, step: 0 };
    return (epoch - 1) * trainingRows + Math.min(step * batchSize, trainingRows);
  };
  await until(async () => (await rowsDone()) > 0);
  return { rowsDone };
}

async function answerTimes(url: string, rate: number, seconds: number): Promise<number[]> {
  const client = fork(new URL("pacedRequests.ts", import.meta.url), [url, String(rate), String(seconds)]);
  const [times] = (await Promise.race([once(client, "message"), diedBefore(once(client, "exit"))])) as [number[]];
  return times;
}

async function diedBefore(exit: Promise<unknown[]>): Promise<never> {
  const [code] = await exit;
  throw new Error(`responsiveness: the process that asks ended with exit code ${String(code)} and no times`);
}

function percentile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.ceil(share * sorted.length) - 1]! * 100) / 100;
}
