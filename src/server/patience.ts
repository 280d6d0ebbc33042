/**
 * How long an answer is waited for: until the time is up, or the client has left. What an AbortController does, without the events
 * that make one dear: there is one for every request.
 */
import type { Waiting } from "../context.ts";
import { UnavailableError } from "../errors.ts";
import { Refusal } from "./refusal.ts";

export class Patience implements Waiting {
  #reason: OutOfTime | undefined;
  #giveUp: ((reason: OutOfTime) => void) | undefined;

  throwIfAborted(): void {
    if (this.#reason) throw this.#reason;
  }

  /**
   * What `work` gives, which is not begun where the client has left already. Throws Refusal where either end comes first; what
   * was begun then goes on, but reads nothing more.
   */
  async within<T>(seconds: number, work: () => Promise<T>): Promise<T> {
    const timeUp = `expected an answer within ${seconds} seconds; what was begun may still be done`;
    const timer = setTimeout(() => this.#end(new OutOfTime(timeUp)), seconds * 1000);
    try {
      this.throwIfAborted();
      return await this.#until(work());
    } catch (error) {
      throw error instanceof OutOfTime ? new Refusal(503, error.message, "TIMEOUT") : error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** To be called where the client has left. */
  leave(): void {
    this.#end(clientLeft());
  }

  #until<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      work.then(resolve, reject);
    });
  }

  #end(reason: OutOfTime): void {
    this.#reason ??= reason;
    this.#giveUp?.(this.#reason);
  }
}

/** Why an AbortSignal that stands for a client is aborted. */
export function clientLeft(): UnavailableError {
  return new OutOfTime("the client has left");
}

/** Expected: what it ends is not a fault of ours. */
class OutOfTime extends UnavailableError {}
