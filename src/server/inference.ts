/**
 * The Open Inference Protocol, version 2, over HTTP: what inference clients of other makes speak. Its paths:
 *
 *   GET  /v2                                            what the server is
 *   GET  /v2/health/live, /v2/health/ready
 *   GET  /v2/models/{name}[/versions/{version}]         inputs and outputs
 *   GET  /v2/models/{name}[/versions/{version}]/ready
 *   POST /v2/models/{name}[/versions/{version}]/infer
 *
 * A name is what `predict` takes: `feed`, `feed@challenger`. An answer that is an error is `{"error": "..."}`.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Asked, Context } from "../context.ts";
import { ProductError, UnavailableError } from "../errors.ts";
import { answerOf, assertOutputs, tensorsOf } from "./inferenceAnswer.ts";
import { inTensors, readInference, reservedNames, rowsOf } from "./inferenceRequest.ts";
import type { ModelInterface } from "./inferenceRequest.ts";
import { Patience } from "./patience.ts";
import type { TakePoints } from "./points.ts";
import { decode, readJson } from "./readRequest.ts";
import { Refusal } from "./refusal.ts";
import { assertMay } from "./visitors.ts";
import type { Visit } from "./visitors.ts";

export interface InferenceOptions {
  createContext(asked: Asked): Context;
  readonly takePoints: TakePoints;
  readonly timeLimitSeconds: number;
  /** True while requests can be served. */
  ready(): Promise<boolean>;
}

export interface InferenceCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

/** Answers whatever is asked below /v2. `ask`: who it is, for what is not for everybody. Throws Refusal or ProductError. */
export type Inference = (call: InferenceCall, ask: () => Promise<Visit>) => Promise<void>;

interface Endpoint {
  readonly method: "GET" | "POST";
  readonly answer: Inference;
}

/** As it is called in the path, and to `predict`, which knows no versions beside the name. */
interface Named {
  readonly name: string;
  readonly model: string;
}

type Services = Context["services"];

const platform = "autoifs";
/** As for `predict` in GraphQL. */
const pointsPerRow = 2;

export function createInference({ createContext, takePoints, timeLimitSeconds, ready }: InferenceOptions): Inference {
  const admitted = async (ask: () => Promise<Visit>): Promise<Visit> => {
    const visit = await ask();
    assertMay(visit, "VIEWER");
    return visit;
  };

  const pay = ({ response }: InferenceCall, { actor }: Visit, points: number): void => {
    for (const [header, value] of Object.entries(takePoints(actor, points))) response.setHeader(header, value);
  };

  /** What `work` gives, while somebody waits for it. */
  const within = async <T>(
    { response }: InferenceCall,
    { actor, requestId }: Visit,
    work: (services: Services) => Promise<T>,
  ): Promise<T> => {
    const patience = new Patience();
    const left = (): void => patience.leave();
    response.once("close", left);
    try {
      const { services } = createContext({ actor, requestId, signal: patience });
      return await patience.within(timeLimitSeconds, () => work(services));
    } finally {
      response.off("close", left);
    }
  };

  /** One that says what `tell` gives to whoever may read. */
  const reading = (tell: (services: Services) => Promise<object> | object): Endpoint => ({
    method: "GET",
    async answer(call, ask) {
      const visit = await admitted(ask);
      pay(call, visit, 1);
      send(call.response, 200, await within(call, visit, async (services) => tell(services)));
    },
  });

  const server = reading(({ productVersion }) => ({ name: platform, version: productVersion(), extensions: [] }));

  const live: Endpoint = { method: "GET", answer: async ({ response }) => send(response, 200, { live: true }) };

  const health: Endpoint = {
    method: "GET",
    async answer({ response }) {
      const isReady = await ready();
      send(response, isReady ? 200 : 503, { ready: isReady });
    },
  };

  const metadata = ({ name, model }: Named): Endpoint =>
    reading(async ({ modelInterfaces }) => {
      const { versions, ...described } = await modelInterfaces.describe(model);
      return { name, versions: versions.map(String), platform, ...tensorsOf(described) };
    });

  const modelReady = ({ name, model }: Named): Endpoint =>
    reading(async ({ modelInterfaces }) => {
      const { isReady } = await modelInterfaces.describe(model);
      if (isReady) return { name, ready: true };
      throw new UnavailableError(`model ${model}: expected a backbone that is installed`);
    });

  const infer = ({ name, model }: Named): Endpoint => ({
    method: "POST",
    async answer(call, ask) {
      const visit = await admitted(ask);
      assertNotBinary(call.request);
      const inference = readInference(await readJson(call.request));
      pay(call, visit, Math.max(1, pointsPerRow * inference.rows));
      const prediction = await within(call, visit, async ({ modelInterfaces, predict }) => {
        const described = await modelInterfaces.of(model);
        const rows = rowsOf(inference, described);
        assertOutputs(inference, described.tasks);
        return predict({ model, rows, explain: false }).catch((error: unknown) => {
          throw error instanceof ProductError ? ofTensors(error, described) : error;
        });
      });
      // Again, for it may be another version by now.
      assertOutputs(inference, prediction.taskKeys);
      send(call.response, 200, answerOf(name, inference, prediction));
    },
  });

  const ofModel = (named: Named, [verb, ...more]: readonly string[]): Endpoint | undefined => {
    if (more.length > 0) return undefined;
    if (verb === undefined) return metadata(named);
    if (verb === "ready") return modelReady(named);
    return verb === "infer" ? infer(named) : undefined;
  };

  const endpointOf = ([first, name, ...rest]: readonly string[]): Endpoint | undefined => {
    if (first === undefined) return server;
    if (!name) return undefined;
    if (first === "health") return rest.length > 0 ? undefined : { live, ready: health }[name];
    if (first !== "models") return undefined;
    const [word, version, ...verbs] = rest;
    if (word !== "versions") return ofModel({ name, model: name }, rest);
    return version ? ofModel({ name, model: `${name}@${version}` }, verbs) : undefined;
  };

  return async (call, ask) => {
    const { request, response, url } = call;
    const endpoint = endpointOf(url.pathname.split("/").slice(2).map(decode));
    if (endpoint && endpoint.method === request.method) return endpoint.answer(call, ask);
    if (endpoint) response.setHeader("allow", endpoint.method);
    throw new Refusal(endpoint ? 405 : 404, `${request.method} ${url.pathname}: there is nothing here`);
  };
}

/** An error about a value in a row as one about an element of an input. */
function ofTensors(error: ProductError, model: ModelInterface): ProductError {
  const { field } = error.detail;
  if (field === undefined || !error.message.startsWith(`${field}:`)) return error;
  const place = inTensors(field, reservedNames(model));
  const message = place + error.message.slice(field.length);
  return new ProductError(error.code, message, { ...error.detail, field: place }, error);
}

function assertNotBinary({ headers }: IncomingMessage): void {
  if (headers["inference-header-content-length"] === undefined) return;
  throw new Refusal(400, "expected a body of JSON alone: the binary extension is not spoken here");
}

function send(response: ServerResponse, status: number, body: object): void {
  const json = JSON.stringify(body);
  const headers = { "content-type": "application/json; charset=utf-8", "content-length": Buffer.byteLength(json) };
  response.writeHead(status, headers).end(json);
}
