/** The audit log: who asked for which change, and how it ended; and what shows when somebody writes in it. */
import Connection from "libsql";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestServer } from "../server/testServer.ts";
import { startTestServer } from "../server/testServer.ts";

let folder: string;
let server: TestServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "autoifs-audit-"));
  server = await startTestServer({ folder });
  await server.query(
    `mutation { registerScenario(input: { key: "home" }) { scenario { id } } }`,
    {},
    { "x-request-id": "r-1" },
  );
  await server.query(
    `mutation { registerScenario(input: { key: "home" }) { scenario { id } } }`,
    {},
    { "x-request-id": "r-2" },
  );
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const check = `query ($noted: AuditHeadInput) { checkAuditLog(noted: $noted) { entries intact brokenAt head { sequence hash } } }`;
const checked = async (noted?: object) => (await server.query(check, { noted })).data.checkAuditLog;

describe("the audit log", () => {
  it("has for every mutation what was asked, by whom, and how it ended, newest first", async () => {
    const { data } = await server.query(`{
      auditLog(first: 10) { nodes { sequence actorName tokenId operation phase begun subjects code requestId } }
      scenario(key: "home") { id }
    }`);
    const all = { actorName: "anybody", tokenId: null, operation: "registerScenario" };
    expect(data.auditLog.nodes).toEqual([
      { ...all, sequence: 4, phase: "REFUSED", begun: 3, subjects: [], code: "CONFLICT", requestId: "r-2" },
      { ...all, sequence: 3, phase: "BEGUN", begun: null, subjects: [], code: null, requestId: "r-2" },
      { ...all, sequence: 2, phase: "DONE", begun: 1, subjects: [data.scenario.id], code: null, requestId: "r-1" },
      { ...all, sequence: 1, phase: "BEGUN", begun: null, subjects: [], code: null, requestId: "r-1" },
    ]);
  });

  it("is read in pages, and by what was done", async () => {
    const page = `query ($after: String) {
      auditLog(first: 1, after: $after, filter: { phase: BEGUN }) { nodes { sequence } pageInfo { hasNextPage endCursor } }
    }`;
    const first = (await server.query(page)).data.auditLog;
    expect(first).toMatchObject({ nodes: [{ sequence: 3 }], pageInfo: { hasNextPage: true } });
    const second = (await server.query(page, { after: first.pageInfo.endCursor })).data.auditLog;
    expect(second).toMatchObject({ nodes: [{ sequence: 1 }], pageInfo: { hasNextPage: false } });
  });

  it("says that it is as it was written", async () => {
    expect(await checked()).toMatchObject({ entries: 4, intact: true, brokenAt: null, head: { sequence: 4 } });
  });

  it("says where somebody has changed an entry, even one who fits its hash", async () => {
    const { head } = await checked();
    const database = new Connection(join(folder, "database", "autoifs.db"));
    database.exec(`UPDATE "AuditEntry" SET "actorName" = 'somebody' WHERE "sequence" = 2`);
    expect(await checked()).toMatchObject({ intact: false, brokenAt: 2 });
    database.exec(`UPDATE "AuditEntry" SET "hash" = 'fitting' WHERE "sequence" = 2`);
    expect(await checked()).toMatchObject({ intact: false, brokenAt: 2 });

    // Cut off at the end the rest fits; whoever has noted the end sees it.
    database.exec(`UPDATE "AuditEntry" SET "actorName" = 'anybody' WHERE "sequence" = 2`);
    database.exec(`DELETE FROM "AuditEntry" WHERE "sequence" > 1`);
    expect(await checked()).toMatchObject({ intact: true, entries: 1 });
    expect(await checked(head)).toMatchObject({ intact: false, brokenAt: 2 });
    database.close();
  });

  it("that cannot take the end of a mutation keeps nobody from its answer, and the other log says so", async () => {
    const database = new Connection(join(folder, "database", "autoifs.db"));
    database.exec(`CREATE TRIGGER "noEnds" BEFORE INSERT ON "AuditEntry" WHEN NEW."phase" != 'BEGUN'
      BEGIN SELECT RAISE(ABORT, 'no room'); END`);
    const register = `mutation { registerScenario(input: { key: "work" }) { scenario { key } userErrors { code } } }`;
    expect((await server.query(register)).data.registerScenario).toEqual({
      scenario: { key: "work" },
      userErrors: [],
    });
    expect((await server.query(register)).data.registerScenario.userErrors).toEqual([{ code: "CONFLICT" }]);
    database.exec(`DROP TRIGGER "noEnds"`);
    database.close();

    const { data } = await server.query("{ auditLog(first: 2) { nodes { operation phase } } }");
    const begun = { operation: "registerScenario", phase: "BEGUN" };
    expect(data.auditLog.nodes).toEqual([begun, begun]);
    const notWritten = (phase: string) => `audit log: registerScenario is ${phase}, but its end could not be written`;
    expect(server.log).toEqual([notWritten("DONE"), notWritten("REFUSED")]);
  });
});
