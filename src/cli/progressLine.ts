/** One line that tells how far a run is: drawn over and over on a terminal, a line per epoch and change elsewhere. */
import type { RunEvent } from "../client/index.ts";
import type { Output } from "./command.ts";
import { duration, figure } from "./table.ts";

export interface ProgressLine {
  show(event: RunEvent): void;
  /** Leaves the terminal at the beginning of a line. */
  end(): void;
}

const barWidth = 20;
const standardWidth = 100;

export function progressLine(out: Output): ProgressLine {
  let meanAuc: number | null = null;
  let isDrawn = false;
  const clear = (): void => {
    if (isDrawn) out.write("\r\x1b[2K");
    isDrawn = false;
  };
  const print = (line: string): void => {
    clear();
    out.write(`${line}\n`);
  };

  return {
    show({ state, progress, epoch }) {
      if (state) print(stateText(state));
      if (epoch) {
        meanAuc = epoch.meanAuc;
        const text = `${epoch.phase.toLowerCase()} epoch ${epoch.epoch}/${epoch.epochs}`;
        if (!out.isTTY) print(`${text}: validation AUC ${figure(meanAuc)}`);
      }
      if (progress && out.isTTY) {
        clear();
        out.write(progressText(progress, meanAuc).slice(0, (out.columns || standardWidth) - 1));
        isDrawn = true;
      }
    },
    end: clear,
  };
}

function stateText({ state, attempt, error, stopReason }: NonNullable<RunEvent["state"]>): string {
  if (error) return `${state}: ${error.code}: ${error.message}`;
  if (stopReason && stopReason !== "COMPLETED") return `${state} (${stopReason})`;
  return attempt !== null && attempt > 1 ? `${state} (attempt ${attempt})` : state;
}

/** `retrain 2/6 ████░░░░ 43 %  53,000 rows/s  loss 0.4512  AUC 0.7012  1 min 4 s left`. */
function progressText(progress: NonNullable<RunEvent["progress"]>, meanAuc: number | null): string {
  const { phase, epoch, epochs, step, steps, samplesPerSecond, loss, secondsLeft } = progress;
  const share = Math.min(1, (epoch - 1 + step / Math.max(1, steps)) / Math.max(1, epochs));
  const full = Math.round(share * barWidth);
  return [
    `${phase.toLowerCase()} ${epoch}/${epochs} ${"█".repeat(full)}${"░".repeat(barWidth - full)} ${Math.round(share * 100)} %`,
    `${Math.round(samplesPerSecond).toLocaleString("en")} rows/s`,
    `loss ${figure(loss)}`,
    ...(meanAuc === null ? [] : [`AUC ${figure(meanAuc)}`]),
    ...(secondsLeft === null ? [] : [`${duration(secondsLeft)} left`]),
  ].join("  ");
}
