/** Days of UTC as text, 2026-01-31: what served rows are counted by. */
import type { DayRange } from "../../store/servedBins.ts";
import { refusal } from "../parseInput.ts";

/** Days one question may be about. */
const mostDays = 366;
const dayMs = 86_400_000;

export const dayOf = (instant: number): string => new Date(instant).toISOString().slice(0, 10);

/** From the day of one instant to that of the other, both included. Throws InvalidInputError. */
export function dayRange({ from, to }: { readonly from: Date; readonly to: Date }): DayRange {
  if (from > to) throw refusal("to", `an instant not before ${from.toISOString()}`, to.toISOString());
  const days = Math.floor(to.getTime() / dayMs) - Math.floor(from.getTime() / dayMs) + 1;
  if (days > mostDays) throw refusal("from", `at most ${mostDays} days up to that of \`to\``, `${days} days`);
  return { from: dayOf(from.getTime()), to: dayOf(to.getTime()) };
}
