import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { programFile } from "../builtProgram.ts";
import { eventually, startTestServer } from "./testServer.ts";

/** Ids of the worker processes a process has begun. */
function workersOf(pid: number): number[] {
  const { stdout } = spawnSync("pgrep", ["-P", String(pid), "-f", "src/worker.[jt]s"], { encoding: "utf8" });
  return stdout.split("\n").filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const built = [fileURLToPath(programFile(import.meta.url, "../../src/server").url)];
const fromSource = ["--import", "tsx", "--conditions", "autoifs-source", "src/server.ts"];

/** The entry as a process of its own, over a fresh folder. */
function spawnServer(environment: Record<string, string> = {}, entry = built): ChildProcess {
  const folder = mkdtempSync(join(tmpdir(), "autoifs-entry-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const own = { AUTOIFS_DATA: folder, AUTOIFS_PORT: "0", AUTOIFS_PLUGIN_TRIAL_SECONDS: "0" };
  const env = { ...process.env, ...own, ...environment };
  const server = spawn(process.execPath, entry, { env });
  onTestFinished(() => void server.kill("SIGKILL"));
  return server;
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  const [line] = (await once(createInterface(stream), "line")) as [string];
  return line;
}

describe("the worker of a server", () => {
  it("is a process of its own, of lower priority, that is begun again when it dies and ends with the server", async () => {
    const server = await startTestServer({ workers: 1 });
    const [first] = workersOf(process.pid);
    expect(getPriority(first)).toBe(19);

    process.kill(first!, "SIGKILL");
    const second = await eventually(async () => workersOf(process.pid).find((pid) => pid !== first));
    expect(server.log).toEqual([`worker ${first} ended (SIGKILL); the next one begins in 0.5 s`]);
    expect(await server.query("{ __typename }")).toEqual({ data: { __typename: "Query" } });

    await server.close();
    expect(isAlive(second)).toBe(false);
  });
});

describe("the server process", () => {
  const entries = [
    ["the build", built],
    ["the sources", fromSource],
  ] as const;
  it.each(entries)(
    "of %s prints one line when it is ready, and ends with its worker when told to",
    async (_, entry) => {
      const server = spawnServer({}, [...entry]);
      const line = await firstLine(server.stdout!);
      expect(line).toMatch(/^autoifs is ready at http:\/\/127\.0\.0\.1:\d+\/graphql$/);
      const [worker] = workersOf(server.pid!);
      server.kill("SIGTERM");
      expect(await once(server, "exit")).toEqual([0, null]);
      expect(isAlive(worker!)).toBe(false);
    },
  );

  it("ends at once when it is told a second time", async () => {
    const server = spawnServer({ AUTOIFS_WORKERS: "0" });
    const [port] = (await firstLine(server.stdout!)).match(/\d+(?=\/graphql)/)!;
    // A request that never becomes complete holds the end up.
    const request = connect(Number(port), "127.0.0.1");
    request.on("error", () => undefined);
    request.write(
      "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n",
    );
    await once(request, "connect");
    const isServing = (): Promise<boolean> =>
      fetch(`http://127.0.0.1:${port}/live`).then(
        () => true,
        () => false,
      );
    expect(await isServing()).toBe(true);
    server.kill("SIGTERM");
    await eventually(async () => !(await isServing()) || undefined);
    expect(server.exitCode).toBeNull();
    server.kill("SIGINT");
    expect(await once(server, "exit")).toEqual([1, null]);
  });

  it("takes its worker with it even when it is killed", async () => {
    const server = spawnServer();
    await firstLine(server.stdout!);
    const [worker] = workersOf(server.pid!);
    server.kill("SIGKILL");
    await eventually(async () => !isAlive(worker!) || undefined);
  });

  it("says in a line what is wrong with its settings", async () => {
    const server = spawnServer({ AUTOIFS_PORT: "many" });
    expect(await firstLine(server.stderr!)).toBe('AUTOIFS_PORT: expected a whole number from 0 to 65535, got "many"');
    expect(await once(server, "exit")).toEqual([1, null]);
  });

  it("says that its port is taken, and ends", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const server = spawnServer({ AUTOIFS_PORT: String(port), AUTOIFS_WORKERS: "0" });
    const exit = once(server, "exit");
    expect(await firstLine(server.stderr!)).toMatch(/^AUTOIFS_PORT: expected a free port: .*EADDRINUSE/);
    expect(await exit).toEqual([1, null]);
  });
});
