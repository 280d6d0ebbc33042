/**
 * How long an answer is waited for: until the time is up, or the client has left. What an AbortController does, without the events
 * that make one dear: there is one for every request.
 */
import type { Waiting } from "../context.ts";

export class Patience implements Waiting {
  #reason: Error | undefined;
  #giveUp: ((reason: Error) => void) | undefined;

  throwIfAborted(): void {
    if (this.#reason) throw this.#reason;
  }

  /** What `work` gives; throws the reason of the end where that comes first. */
  until<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      work.then(resolve, reject);
    });
  }

  end(reason: Error): void {
    this.#reason ??= reason;
    this.#giveUp?.(this.#reason);
  }
}
