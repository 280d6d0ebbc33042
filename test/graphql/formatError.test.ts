import { GraphQLError } from "graphql";
import { describe, expect, it } from "vitest";
import { ConflictError } from "../../src/errors.ts";
import { formatErrors } from "../../src/graphql/formatError.ts";
import type { Fault } from "../../src/graphql/formatError.ts";

const formatted = { message: "as GraphQL has it", path: ["run"] };
const thrownBy = (original: Error): GraphQLError =>
  new GraphQLError(original.message, { path: ["run"], originalError: original });

describe("an error that leaves the server", () => {
  it("keeps its message, code and detail where it is expected", () => {
    const format = formatErrors(() => expect.unreachable());
    const error = new ConflictError("run: expected A, got B", { field: "run", expected: "A", received: "B" });
    expect(format(formatted, thrownBy(error))).toEqual({
      message: "run: expected A, got B",
      path: ["run"],
      extensions: { code: "CONFLICT", field: "run", expected: "A", received: "B" },
    });
  });

  it("tells nothing of a fault of ours but the id under which the log has it", () => {
    const reported: Fault[] = [];
    const fault = new Error("password in /etc/secret");
    const answer = formatErrors((report) => reported.push(report))(formatted, thrownBy(fault), "req-1");
    expect(reported).toEqual([{ errorId: expect.any(String), error: fault, requestId: "req-1" }]);
    const { errorId } = reported[0]!;
    expect(answer).toEqual({
      message: `Something went wrong on our side; the log has it under ${errorId}.`,
      path: ["run"],
      extensions: { code: "INTERNAL", errorId },
    });
  });

  it("stays as it is where GraphQL refuses a request", () => {
    const format = formatErrors(() => expect.unreachable());
    const refusal = { message: "Syntax Error", extensions: { code: "GRAPHQL_PARSE_FAILED" } };
    expect(format(refusal, new GraphQLError("Syntax Error"))).toBe(refusal);
  });
});
