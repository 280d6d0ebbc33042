import { once } from "node:events";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, startTestServer } from "./testServer.ts";
import type { TestServer } from "./testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ uploadLimit: 1000 });
});
afterAll(() => server.close());

const put = (name: string, body: string): Promise<Response> =>
  fetch(`${server.url}/uploads/${name}`, { method: "PUT", body });
const uploads = (): Promise<string[]> => readdir(join(server.files, "uploads"));

describe("an upload", () => {
  it("answers the path that registerDataset takes", async () => {
    const response = await put("views.csv", "user,click\n");
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ file: "uploads/views.csv", bytes: 11 });
    expect(await readFile(join(server.files, "uploads", "views.csv"), "utf8")).toBe("user,click\n");
  });

  it("replaces a file of the same name as a whole", async () => {
    await put("views.csv", "a,b\n");
    expect(await readFile(join(server.files, "uploads", "views.csv"), "utf8")).toBe("a,b\n");
    expect(await uploads()).toEqual(["views.csv"]);
  });

  it("replaces a symbolic link, and not what it points to", async () => {
    const outside = join(server.files, "..", "outside.csv");
    await writeFile(outside, "kept");
    await symlink(outside, join(server.files, "uploads", "link.csv"));
    expect((await put("link.csv", "new")).status).toBe(201);
    expect(await readFile(outside, "utf8")).toBe("kept");
    expect(await readFile(join(server.files, "uploads", "link.csv"), "utf8")).toBe("new");
  });
});

describe("an upload is refused, and leaves nothing, where", () => {
  it.each(["..%2Fevil.csv", "%2Fetc%2Fevil.csv", "a%2Fb.csv", ".hidden.csv", "evil.exe", "a%00.csv", "csv", ".csv"])(
    "its name is %s",
    async (name) => {
      const before = await uploads();
      const response = await put(name, "x");
      expect(response.status).toBe(400);
      const expected = "up to 100 letters, digits, `.`, `_` and `-`, then .csv, .csv.gz or .parquet";
      expect(await response.json()).toMatchObject({
        errors: [{ extensions: { code: "INVALID_INPUT", field: "name", expected } }],
      });
      expect(await uploads()).toEqual(before);
    },
  );

  it("it says that it is too large", async () => {
    const response = await put("large.csv", "x".repeat(1001));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({
      errors: [{ message: "upload: expected at most 1000 bytes, got more", extensions: { code: "INVALID_INPUT" } }],
    });
    expect(await uploads()).not.toContain("large.csv");
  });

  it("it turns out to be too large", async () => {
    const body = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 20; i++) controller.enqueue(new Uint8Array(100));
        controller.close();
      },
    });
    const response = await fetch(`${server.url}/uploads/large.csv`, {
      method: "PUT",
      body,
      duplex: "half",
    } as RequestInit);
    expect(response.status).toBe(413);
    expect((await uploads()).filter((name) => name.includes("large"))).toEqual([]);
  });

  it("it breaks off", async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    socket.write("PUT /uploads/half.csv HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 500\r\n\r\nuser,click\n");
    await eventually(async () => (await uploads()).some((name) => name.includes("half")) || undefined);
    socket.destroy();
    await eventually(async () => !(await uploads()).some((name) => name.includes("half")) || undefined);
  });

  it("its name is that of a folder", async () => {
    await mkdir(join(server.files, "uploads", "folder.csv"));
    expect((await put("folder.csv", "x")).status).toBe(500);
    expect((await uploads()).filter((name) => name.endsWith(".part"))).toEqual([]);
  });
});
