import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRandom } from "../../src/random.ts";
import { ended, imported, prepareSmall } from "./smallDataset.ts";
import { backbone, hyperParameters, trainModel } from "./smallModels.ts";
import { eventually, startTestServer, type TestServer } from "./testServer.ts";

const read = `query ($id: ID!) {
  run(id: $id) {
    state attempt checkpointHash error { message }
    progress { epoch step }
    history { epoch matrices { split cells { auc logloss } } }
    flows { flow shareRemoved meanGate }
    gateHistory { epoch temperature flows { flow meanLogit entropy } }
    flowEffects { flow rows removed outAuc { value low high } inLogloss { value low high } }
    matrix { cells { auc logloss } }
  }
}`;

/** Kills a worker process of this one with no chance to save anything. */
function killWorker(): void {
  const { stdout } = spawnSync("pgrep", ["-P", String(process.pid), "-f", "src/worker.js"], { encoding: "utf8" });
  for (const pid of stdout.split("\n").filter(Boolean)) process.kill(Number(pid), "SIGKILL");
}

describe("a run whose worker is killed with -9 in the middle, again and again", () => {
  let server: TestServer;
  let dataset: string;
  beforeAll(async () => {
    server = await startTestServer({ workers: 1, leaseSeconds: 2 });
    await prepareSmall(server);
    dataset = await imported(server);
  });
  afterAll(() => server.close());

  const epochs = 24;
  const head = { kind: "AUTOIFS", scenarioLayers: [16], gateLayers: [16], batchNorm: true, dropout: 0.1 };
  const begin = async (): Promise<string> => {
    const input = { dataset, backbone, head, hyperParameters: { ...hyperParameters, search: { epochs } } };
    return (await server.query(trainModel, { input })).data.trainModel.run.id;
  };

  it("ends with bitwise the same weights and the same history as its undisturbed twin", async () => {
    const twin = await begin();
    expect(await ended(server, twin)).toBe("SUCCEEDED");
    const id = await begin();
    const random = createRandom(1, "kills");
    for (let kill = 0; kill < 2; kill++) {
      const until = 3 + kill * 9 + Math.floor(random.uniform() * 6);
      await eventually(async () => {
        const { run } = (await server.query(read, { id })).data;
        return run.state === "RUNNING" && run.history.length >= until ? run : undefined;
      });
      killWorker();
    }
    expect(await ended(server, id)).toBe("SUCCEEDED");

    const { attempt, progress: _, ...disturbed } = (await server.query(read, { id })).data.run;
    const { attempt: first, progress: __, ...undisturbed } = (await server.query(read, { id: twin })).data.run;
    expect([first, attempt]).toEqual([1, 3]);
    expect(disturbed).toEqual(undisturbed);
    expect(disturbed.history).toHaveLength(epochs);
    expect(disturbed.gateHistory).toHaveLength(1 + epochs);
  });
});
