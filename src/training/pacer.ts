/**
 * When a training saves itself, and when it ends before its time: after every step it asks its owner, watches the budget,
 * and saves at the end of every epoch and in between where an epoch is long.
 */
import type { StopReason } from "./events.ts";
import type { Place, SavedTraining } from "./trainingState.ts";

/** The owner of a training. */
export interface TrainingControl {
  /** STOP: end at once, what is not saved is lost. */
  wish(): "GO_ON" | "SAVE_AND_STOP" | "STOP";
  /** Takes the state before it returns; resolves once it is kept for good. */
  save(state: SavedTraining): Promise<void>;
  /** Between two saves inside an epoch. */
  readonly saveEverySeconds: number;
}

export interface Budget {
  readonly epochs?: number;
  /** Of all attempts together. */
  readonly seconds?: number;
}

/** Thrown by a training that ends before it is finished. Except for STOPPED it can be gone on with. */
export class TrainingInterrupted extends Error {
  readonly reason: "STOPPED" | "SAVED" | "PAUSED_AT_EPOCH";

  constructor(reason: TrainingInterrupted["reason"]) {
    super(`training: interrupted: ${reason}`);
    this.name = "TrainingInterrupted";
    this.reason = reason;
  }
}

export interface PacerOptions {
  /** Absent: nobody interrupts, nothing is saved. */
  readonly control?: TrainingControl;
  readonly budget?: Budget;
  /** Interrupts after this many epochs. */
  readonly pauseAtEpoch?: number;
  /** Seconds that earlier attempts have spent. */
  readonly spent: number;
}

export class Pacer {
  readonly #options: PacerOptions;
  readonly #begun = performance.now();
  #lastSave = performance.now();
  #saving: Promise<void> = Promise.resolve();
  #resting: (() => SavedTraining) | undefined;

  constructor(options: PacerOptions) {
    this.#options = options;
  }

  /** Spent so far, in all attempts. */
  seconds(): number {
    return this.#options.spent + (performance.now() - this.#begun) / 1000;
  }

  /** Why no further epoch is begun after `epochsDone`; undefined where one is. */
  ended(epochsDone: number, epochs: number): StopReason | undefined {
    const { budget } = this.#options;
    if (epochsDone >= epochs) return "COMPLETED";
    if (epochsDone >= (budget?.epochs ?? Infinity)) return "BUDGET_EPOCHS";
    return this.#isOutOfTime() ? "BUDGET_SECONDS" : undefined;
  }

  /** How many of `epochs` the budget allows. */
  epochsAllowed(epochs: number): number {
    return Math.min(epochs, this.#options.budget?.epochs ?? Infinity);
  }

  /** Interrupts again a training that lost its process just when it was to pause. Throws TrainingInterrupted. */
  beforeEpoch({ epoch, step }: Pick<Place, "epoch" | "step">): void {
    if (epoch === this.#options.pauseAtEpoch && step === 0) throw new TrainingInterrupted("PAUSED_AT_EPOCH");
  }

  /** False where the time is used up. Throws TrainingInterrupted. */
  async afterStep(capture: () => SavedTraining): Promise<boolean> {
    await this.#obey(capture);
    if (this.#isOutOfTime()) return false;
    const every = this.#options.control?.saveEverySeconds ?? Infinity;
    if (performance.now() - this.#lastSave > every * 1000) await this.#save(capture);
    return true;
  }

  /** The training does not change until the next step; what takes long in between calls `whileResting` now and then. */
  rest(capture: (() => SavedTraining) | undefined): void {
    this.#resting = capture;
  }

  /** Throws TrainingInterrupted. */
  async whileResting(): Promise<void> {
    await this.#obey(this.#resting);
  }

  /** After an epoch and its validation; `isLast`: the training ends with it. Throws TrainingInterrupted. */
  async afterEpoch(epochsDone: number, isLast: boolean, capture: () => SavedTraining): Promise<void> {
    await this.#save(capture);
    // The state is kept already, so from here on a wish to save is a wish to stop.
    this.rest(undefined);
    if (epochsDone === this.#options.pauseAtEpoch && !isLast) {
      await this.#saving;
      throw new TrainingInterrupted("PAUSED_AT_EPOCH");
    }
    await this.#obey(undefined);
  }

  /** Waits for the last save. */
  async finish(): Promise<void> {
    await this.#saving;
  }

  async #obey(capture: (() => SavedTraining) | undefined): Promise<void> {
    const wish = this.#options.control?.wish() ?? "GO_ON";
    if (wish === "GO_ON") return;
    if (wish === "STOP") throw new TrainingInterrupted("STOPPED");
    if (capture) await this.#save(capture);
    await this.#saving;
    throw new TrainingInterrupted("SAVED");
  }

  /** One save at a time: memory holds at most one state that is on its way. */
  async #save(capture: () => SavedTraining): Promise<void> {
    if (!this.#options.control) return;
    await this.#saving;
    this.#saving = this.#options.control.save(capture());
    // It is awaited later; a failure must not count as unhandled until then.
    this.#saving.catch(() => undefined);
    this.#lastSave = performance.now();
  }

  #isOutOfTime(): boolean {
    return this.seconds() >= (this.#options.budget?.seconds ?? Infinity);
  }
}
