/** What is made of a request that has been answered: figures, and a line in the log. */
import type { Answered } from "../observe/answered.ts";
import type { Observation } from "../observe/observation.ts";

export type { Answered, OperationSummary } from "../observe/answered.ts";

/** Milliseconds above which a request is worth a line. */
const slow = 1_000;

/** What changes something, or took long, is told at level info, all else at debug. Variables and secrets are not told. */
export function whenAnswered({ log, metrics }: Pick<Observation, "log" | "metrics">): (answered: Answered) => void {
  return (answered) => {
    metrics.answered(answered);
    const { method, path, status, durationMs, operation, errorCodes, sqlStatements, ...rest } = answered;
    const changes = operation?.type === "mutation" || method === "PUT";
    log[changes || durationMs > slow ? "info" : "debug"](`${method} ${path} ${status}`, {
      method,
      path,
      status,
      durationMs: Math.round(durationMs * 10) / 10,
      ...(operation ? { operation: { ...operation, name: operation.name?.slice(0, 100) ?? null } } : {}),
      ...(errorCodes.length > 0 ? { errorCodes } : {}),
      ...(sqlStatements === null ? {} : { sqlStatements }),
      ...rest,
    });
  };
}
