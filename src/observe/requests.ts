/**
 * Counts the SQL statements that a request sets off, however deep below. What tells them apart is an AsyncLocalStorage, which
 * makes every promise of the process dearer while it is on (a fifth of `{ __typename }` on Node 20): so unless all are wanted
 * it is on for one request at a time, ten times a second at most.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { statementChannel } from "../store/libsqlClient.ts";

export interface Requests {
  /** Does `work`; gives how many statements that ran, or null where they were not counted. Throws what `work` throws. */
  counted<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly sqlStatements: number | null }>;
}

interface Count {
  statements: number;
}

/** Milliseconds between the beginnings of two requests that are counted. */
const pause = 100;

/** For one server: another in this process has its own. `all`: every request is counted. */
export function createRequests({ all }: { readonly all: boolean }): Requests {
  const storage = new AsyncLocalStorage<Count>();
  let inHand = 0;
  let nextAt = 0;

  const count = (): void => {
    const request = storage.getStore();
    if (request) request.statements++;
  };
  const begin = (): void => {
    nextAt = performance.now() + pause;
    if (inHand++ === 0) statementChannel.subscribe(count);
  };
  const end = (): void => {
    if (--inHand > 0) return;
    statementChannel.unsubscribe(count);
    storage.disable();
  };

  return {
    async counted(work) {
      if (!all && (inHand > 0 || performance.now() < nextAt)) return { result: await work(), sqlStatements: null };
      const request: Count = { statements: 0 };
      begin();
      try {
        return { result: await storage.run(request, work), sqlStatements: request.statements };
      } finally {
        end();
      }
    },
  };
}
