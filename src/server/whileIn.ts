/** A stream of answers that ends when whoever asked for it may not ask any more. */
import type { ExecutionResult } from "graphql";
import { graphqlRefusal, Refusal } from "./refusal.ts";

type Answers = AsyncGenerator<ExecutionResult, void, void>;

/** Not a generator of its own: that would let `return` wait for the next answer. */
export function whileIn(answers: Answers, isStillIn: () => Promise<boolean>): Answers {
  let isOver = false;
  return {
    async next() {
      if (isOver) return { done: true, value: undefined };
      const answer = await answers.next();
      if (answer.done || (await isStillIn())) return answer;
      isOver = true;
      await answers.return();
      const message = "the token with which this was asked for has expired or was revoked";
      return { done: false, value: { errors: [graphqlRefusal(new Refusal(401, message, "UNAUTHENTICATED"))] } };
    },
    return: () => answers.return(),
    throw: (error: unknown) => answers.throw(error),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
