/**
 * The client of the API: `await createClient({ url }).trainModel({ input })`. It needs `fetch` and nothing else, so it works in
 * Node and in browsers. Whatever goes wrong is an ApiError.
 */
import { ApiError, apiErrorOf } from "./apiError.ts";
import { followRun } from "./follow.ts";
import type { FollowOptions } from "./follow.ts";
import { isRepeatable, operations, withKey } from "./operations.ts";
import type {
  ConnectionName,
  NodeOf,
  OperationName,
  ResultOf,
  RunEvent,
  TypedDocument,
  VariablesOf,
} from "./operations.ts";
import { assertAnswered, createTransport, originOf, readAnswer } from "./transport.ts";
import type { ClientOptions } from "./transport.ts";

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

/**
 * One method for each operation in src/client/operations: `run({ id })`, `runs({ first: 50 })`, `trainModel({ input })` ... They
 * answer the field that was asked for, and throw what a mutation refuses. Those that create or begin something carry an
 * idempotency key, so that they are sent again where a connection breaks and still happen once.
 */
export type OperationMethods = {
  readonly [Name in OperationName]: (
    ...given: Record<string, never> extends VariablesOf<Name>
      ? [variables?: VariablesOf<Name>, options?: RequestOptions]
      : [variables: VariablesOf<Name>, options?: RequestOptions]
  ) => Promise<ResultOf<Name>>;
};

export interface Client extends OperationMethods {
  /**
   * Any operation of your own, whose types the document brings with it (GraphQL Code Generator, `documentMode: "string"`). Answers
   * `data`. A mutation is sent again after a broken connection only if its input has an `idempotencyKey`.
   */
  request<Data, Variables extends object>(
    document: TypedDocument<Data, Variables>,
    variables?: Variables,
    options?: RequestOptions,
  ): Promise<Data>;
  /** The events of a run as they come, until it has ended; a broken connection goes on where it was. */
  follow(run: string, options?: FollowOptions): AsyncIterable<RunEvent>;
  /** Everything a connection lists, page by page: `for await (const run of client.pages("runs", { filter }))`. */
  pages<Name extends ConnectionName>(
    name: Name,
    variables?: Omit<VariablesOf<Name>, "after">,
    options?: RequestOptions,
  ): AsyncIterable<NodeOf<Name>>;
  /**
   * Puts a file of this name (.csv, .csv.gz or .parquet) below the data folder; `file` is what `registerDataset` takes. A stream is
   * sent once, all else again where the connection breaks.
   */
  upload(
    name: string,
    content: Blob | Uint8Array | ReadableStream<Uint8Array>,
    options?: RequestOptions,
  ): Promise<{ readonly file: string; readonly bytes: number }>;
  /** The file of an export (also of a model) or a batch prediction, whose `url` it takes, as it comes. */
  download(url: string, options?: RequestOptions): Promise<ReadableStream<Uint8Array>>;
}

type Variables = Readonly<Record<string, unknown>>;

interface Page {
  readonly nodes: readonly unknown[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

export function createClient(options: ClientOptions): Client {
  const transport = createTransport(options);

  const send = async (query: string, variables: Variables, { signal }: RequestOptions = {}): Promise<Variables> => {
    const response = await transport.send({
      path: "/graphql",
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ query, variables }),
      isRepeatable: isRepeatable(query, variables),
      signal,
    });
    const answer = await readAnswer(response);
    assertAnswered(answer, response);
    if (!answer.data) {
      throw new ApiError(`${response.url}: expected data`, { code: "BAD_ANSWER", ...originOf(response) });
    }
    assertDone(answer.data, response);
    return answer.data;
  };

  const call = async (name: OperationName, variables: Variables, requestOptions?: RequestOptions): Promise<unknown> =>
    Object.values(await send(operations[name], withKey(name, variables), requestOptions))[0];

  async function* pages(name: ConnectionName, variables: Variables, requestOptions?: RequestOptions) {
    for (let after: string | null = null; ;) {
      const page = (await call(name, { ...variables, after }, requestOptions)) as Page;
      yield* page.nodes;
      if (!page.pageInfo.hasNextPage) return;
      after = page.pageInfo.endCursor;
    }
  }

  const methods = Object.fromEntries(
    (Object.keys(operations) as OperationName[]).map((name) => [
      name,
      (variables: Variables = {}, requestOptions?: RequestOptions) => call(name, variables, requestOptions),
    ]),
  ) as unknown as OperationMethods;

  return {
    ...methods,
    request: async <Data, Given extends object>(
      document: TypedDocument<Data, Given>,
      variables?: Given,
      requestOptions?: RequestOptions,
    ) => (await send(String(document), { ...variables }, requestOptions)) as Data,
    follow: (run, followOptions) => followRun(transport, run, followOptions),
    pages: <Name extends ConnectionName>(
      name: Name,
      variables?: Omit<VariablesOf<Name>, "after">,
      requestOptions?: RequestOptions,
    ) => pages(name, { ...variables }, requestOptions) as AsyncIterable<NodeOf<Name>>,

    async upload(name, body, { signal } = {}) {
      const response = await transport.send({
        path: `/uploads/${encodeURIComponent(name)}`,
        method: "PUT",
        body,
        isRepeatable: !(body instanceof ReadableStream),
        signal,
      });
      const answer = await readAnswer(response);
      assertAnswered(answer, response);
      return answer as unknown as { file: string; bytes: number };
    },

    async download(path, { signal } = {}) {
      const response = await transport.send({ path, method: "GET", isRepeatable: true, signal });
      if (!response.ok) assertAnswered(await readAnswer(response), response);
      return response.body!;
    },
  };
}

/** Throws the first refusal in a payload. */
function assertDone(data: Variables, response: Response): void {
  for (const field of Object.values(data)) {
    const [first] = (field as { userErrors?: readonly Record<string, unknown>[] } | null)?.userErrors ?? [];
    if (!first) continue;
    const { message, ...extensions } = first;
    throw apiErrorOf([{ message: String(message), extensions }], originOf(response));
  }
}
