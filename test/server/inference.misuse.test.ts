import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer } from "./testServer.ts";
import type { TestServer } from "./testServer.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ settings: { AUTOIFS_RATE_LIMIT: "10", AUTOIFS_ORIGINS: "https://shop.example" } });
  await server.query(`mutation { registerModel(input: { key: "feed" }) { model { key } } }`);
});
afterAll(() => server.close());

const json = { "content-type": "application/json" };

async function asked(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = json) {
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  return fetch(`${server.url}${path}`, { method, headers, ...(text === undefined ? {} : { body: text }) });
}

/** Status and text of the error. */
async function refused(body: unknown, path = "feed/infer", headers = json): Promise<[number, string]> {
  const response = await asked("POST", `/v2/models/${path}`, body, headers);
  return errorOf(response);
}

async function errorOf(response: Response): Promise<[number, string]> {
  const { error, ...rest } = (await response.json()) as { error: string };
  expect(rest).toEqual({});
  return [response.status, error];
}

const bytes = (name: string, ...data: unknown[]) => ({ name, datatype: "BYTES", shape: [data.length], data });
const [user, item, scenario] = [
  bytes("user", "u1", "u2"),
  bytes("item", "i1", "i2"),
  bytes("scenario", "home", "home"),
];
const age = { name: "age", datatype: "FP64", shape: [2], data: [30, 31] };
const inputs = [user, item, age, scenario];
const withAge = (changes: object) => ({ inputs: [user, item, { ...age, ...changes }, scenario] });

// Nothing here gets as far as a model. What a model cannot use is in inference.test.ts.
describe("the Open Inference Protocol refuses", () => {
  it("a model, version or alias that is not there, and a path without anything", async () => {
    expect(await refused({ inputs }, "nobody/infer")).toEqual([
      404,
      "model nobody: expected the id or key of a model, but there is none",
    ]);
    expect((await refused({ inputs }))[0]).toBe(404);
    expect((await refused({ inputs }, "feed/versions/7/infer"))[0]).toBe(404);
    expect((await refused({ inputs }, "feed@champion/infer"))[0]).toBe(404);
    expect(await errorOf(await asked("GET", "/v2/models/nobody"))).toEqual([
      404,
      expect.stringMatching(/^model nobody/),
    ]);
    expect((await errorOf(await asked("GET", "/v2/models/nobody/ready")))[0]).toBe(404);
    for (const path of ["/v2/", "/v2/models", "/v2/models/feed/versions", "/v2/models/feed/ready/now", "/v2/health"]) {
      expect(await errorOf(await asked("GET", path))).toEqual([404, `GET ${path}: there is nothing here`]);
    }
  });

  it("a method that a path does not have, which it names", async () => {
    const response = await asked("GET", "/v2/models/feed/infer");
    expect(response.headers.get("allow")).toBe("POST");
    expect((await errorOf(response))[0]).toBe(405);
    expect((await asked("POST", "/v2/models/feed", {})).headers.get("allow")).toBe("GET");
  });

  it("a body that is no request", async () => {
    const expected = "body: expected an object of JSON with `content-type: application/json`, got";
    expect(await refused([])).toEqual([400, `${expected} []`]);
    expect(await refused("{}", "feed/infer", { "content-type": "text/plain" })).toEqual([400, `${expected} nothing`]);
    expect(await refused('{"inputs"')).toEqual([400, expect.stringMatching(/^POST: expected a body of JSON/)]);
    expect(await refused({})).toEqual([400, "inputs: expected a list of at least one input, got nothing"]);
    expect(await refused({ inputs: [] })).toEqual([400, expect.stringMatching(/^inputs: /)]);
    expect(await refused({ id: 1, inputs })).toEqual([400, "id: expected a text, got 1"]);
    expect(await refused({ inputs: [null] })).toEqual([400, "inputs[0]: expected an object, got null"]);
    expect(await refused({ inputs: [{ ...user, name: 1 }] })).toEqual([
      400,
      expect.stringMatching(/^inputs\[0\]\.name: /),
    ]);
    expect(await refused({ inputs, outputs: {} })).toEqual([400, expect.stringMatching(/^outputs: /)]);
  });

  it("tensors whose datatype, shape and data do not go together", async () => {
    expect(await refused(withAge({ datatype: "FP8" }))).toEqual([
      400,
      'input "age", datatype: expected one of BYTES, BOOL, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, FP16, FP32, FP64, got "FP8"',
    ]);
    expect(await refused(withAge({ datatype: "toString" }))).toEqual([
      400,
      expect.stringMatching(/^input "age", datatype/),
    ]);
    expect(await refused(withAge({ shape: [2, 1, 1] }))).toEqual([
      400,
      'input "age", shape: expected [rows] or [rows, width], got [2,1,1]',
    ]);
    expect(await refused(withAge({ shape: [2, 2] }))).toEqual([
      400,
      'input "age", data: expected 4 elements as its shape says, got 2',
    ]);
    expect(await refused(withAge({ shape: [3] }))).toEqual([
      400,
      'input "age", data: expected 3 elements as its shape says, got 2',
    ]);
    expect(await refused(withAge({ data: "30" }))).toEqual([400, 'input "age", data: expected a list, got "30"']);
    expect(await refused(withAge({ shape: [1], data: [30] }))).toEqual([
      400,
      'input "age": expected 2 rows as the inputs before it, got 1',
    ]);
    expect(await refused(withAge({ data: [30, "old"] }))).toEqual([
      400,
      'input "age", element 1: expected a finite number, got "old"',
    ]);
    expect(await refused(withAge({ datatype: "UINT8", data: [30, 256] }))).toEqual([
      400,
      'input "age", element 1: expected an integer from 0 to 255, got 256',
    ]);
    expect(await refused({ inputs: [...inputs, user] })).toEqual([
      400,
      'inputs[4].name: expected every input once, got "user"',
    ]);
  });

  it("the binary extension", async () => {
    const asks = { binary_data_size: 8 };
    expect(await refused({ inputs: [{ ...user, parameters: asks }] })).toEqual([
      400,
      expect.stringMatching(/binary extension is not spoken here/),
    ]);
    expect((await refused({ inputs, parameters: { binary_data_output: true } }))[0]).toBe(400);
    expect((await refused({ inputs, outputs: [{ name: "click", parameters: { binary_data: true } }] }))[0]).toBe(400);
    const headers = { ...json, "inference-header-content-length": "2" };
    expect((await refused({ inputs }, "feed/infer", headers))[0]).toBe(400);
  });

  it("lists inside each other, however deep", async () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    const text = JSON.stringify({ inputs: [{ ...user, data: "deep" }, ...inputs.slice(1)] }).replace('"deep"', deep);
    expect(await refused(text)).toEqual([400, 'input "user", data: expected 2 elements as its shape says, got 1']);
    expect(await refused(text.replace("[2]", "[1]"))).toEqual([
      400,
      'input "user", element 0: expected a text, got a list of 1',
    ]);
  });

  it("a body that is too large", async () => {
    expect(await refused({ inputs, more: "x".repeat(16 * 2 ** 20) })).toEqual([
      413,
      expect.stringMatching(/^POST: expected a body/),
    ]);
  });

  it("pages of hosts that are not on the list, whose preflight gets no headers", async () => {
    const preflight = async (origin: string) =>
      (await asked("OPTIONS", "/v2/models/feed/infer", undefined, { origin })).headers.get(
        "access-control-allow-origin",
      );
    expect(await preflight("https://shop.example")).toBe("https://shop.example");
    expect(await preflight("https://elsewhere.example")).toBeNull();
  });

  // The last: from the first token on nobody gets in without one.
  it("whoever has no token, once there are any, and more than the token has a minute", async () => {
    const { data } = await server.query(`mutation { createToken(input: { name: "page", role: VIEWER }) { secret } }`);
    const headers = { ...json, authorization: `Bearer ${data.createToken.secret}` };
    const response = await asked("POST", "/v2/models/feed/infer", { inputs });
    expect(response.headers.get("www-authenticate")).toContain("Bearer");
    expect((await errorOf(response))[0]).toBe(401);
    const own = { ...headers, "x-request-id": "mine" };
    const known = await asked("GET", "/v2", undefined, own);
    expect([known.status, known.headers.get("x-request-id"), known.headers.get("ratelimit")]).toEqual([
      200,
      "mine",
      expect.stringContaining("r=9"),
    ]);
    const ten = inputs.map((input) => ({ ...input, shape: [10], data: Array(10).fill(input.data[0]) }));
    expect(await refused({ inputs: ten }, "feed/infer", headers)).toEqual([
      429,
      "expected at most 10 points a minute; this request costs 20",
    ]);
    expect((await asked("GET", "/v2/health/live", undefined, {})).status).toBe(200);
  });
});
