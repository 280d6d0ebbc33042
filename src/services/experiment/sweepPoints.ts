/** The points of a sweep: which values its parameters have together. */
import { createRandom } from "../../random.ts";
import type { Random } from "../../random.ts";
import { hyperParameters } from "../../training/hyperParameters.ts";
import type { SweepInput, SweepParameter } from "./experimentInput.ts";
import type { SweepPoint } from "./experimentSpec.ts";
import { refusal, shown } from "../parseInput.ts";

/** A member of the backbone's configuration, or of an object in it. */
const configPath = /^backbone\.config(\.(?!__proto__(\.|$))[\w-]+)+$/;

const { search, selection: _, lossBalancing: __, ...own } = hyperParameters.shape;
const numbers = [
  ...Object.keys(own),
  ...["kind", "asymmetry", "learningRate"].map((name) => `lossBalancing.${name}`),
  ...Object.keys(search.shape).map((name) => `search.${name}`),
];

/**
 * GRID: all combinations, the last parameter changing fastest. RANDOM and ASHA: as many as asked for, each drawn from the
 * seed on its own. Throws InvalidInputError with the path of what is wrong; `most` is how many points there may be.
 */
export function sweepPoints(sweep: SweepInput, most: number): SweepPoint[] {
  checkSweep(sweep);
  const { kind, parameters, trials, seed } = sweep;
  const wanted = trials ?? parameters.reduce((product, { values }) => product * values!.length, 1);
  if (wanted > most) {
    const field = `input.sweep.${kind === "GRID" ? "parameters" : "trials"}`;
    throw refusal(field, `at most ${most} points with these configurations, datasets and seeds`, String(wanted));
  }
  if (kind === "GRID") return combinations(parameters);
  const random = createRandom(seed, "sweep");
  return Array.from({ length: wanted }, () =>
    Object.fromEntries(parameters.map((parameter) => [parameter.path, drawn(parameter, random)])),
  );
}

function checkSweep({ kind, parameters, trials, rungs }: SweepInput): void {
  const field = "input.sweep";
  if (kind === "GRID" && trials !== undefined) throw refusal(`${field}.trials`, "nothing for GRID", String(trials));
  if (kind !== "GRID" && trials === undefined) throw refusal(`${field}.trials`, `a number for ${kind}`, "nothing");
  if (kind === "ASHA" && !rungs) throw refusal(`${field}.rungs`, "the rungs of ASHA", "nothing");
  if (kind !== "ASHA" && rungs) throw refusal(`${field}.rungs`, `nothing for ${kind}`, shown(rungs));
  if (rungs && rungs.minimumEpochs >= rungs.maximumEpochs) {
    const expected = `above minimumEpochs, ${rungs.minimumEpochs}`;
    throw refusal(`${field}.rungs.maximumEpochs`, expected, String(rungs.maximumEpochs));
  }
  parameters.forEach((parameter, index) => {
    const at = `${field}.parameters[${index}]`;
    checkParameter(parameter, kind, at);
    const isTwice = parameters.findIndex(({ path }) => path === parameter.path) < index;
    if (isTwice) throw refusal(`${at}.path`, "each path only once", `${shown(parameter.path)} again`);
  });
}

function checkParameter({ path, values, range }: SweepParameter, kind: SweepInput["kind"], at: string): void {
  const isKnown = numbers.includes(path) || configPath.test(path);
  if (!isKnown) throw refusal(`${at}.path`, `backbone.config.<member>, or one of ${numbers.join(", ")}`, shown(path));
  if (kind === "GRID" && range) throw refusal(`${at}.range`, "values instead of a range for GRID", shown(range));
  if (!values === !range) {
    throw refusal(at, kind === "GRID" ? "values" : "either values or a range", values ? "both" : "neither");
  }
  if (!range) return;
  const { low, high, scale, integer } = range;
  if (low >= high) throw refusal(`${at}.range.high`, `above low, ${low}`, String(high));
  if (scale === "LOG" && low <= 0) throw refusal(`${at}.range.low`, "above 0 on a LOG scale", String(low));
  const fraction = [low, high].find((bound) => integer && !Number.isSafeInteger(bound));
  if (fraction !== undefined) {
    throw refusal(
      `${at}.range.${fraction === low ? "low" : "high"}`,
      "an integer, as `integer` is true",
      String(fraction),
    );
  }
}

function combinations([first, ...rest]: readonly SweepParameter[]): SweepPoint[] {
  if (!first) return [{}];
  const others = combinations(rest);
  return first.values!.flatMap((value) => others.map((other) => ({ [first.path]: value, ...other })));
}

function drawn({ values, range }: SweepParameter, random: Random): unknown {
  const u = random.uniform();
  if (values) return values[Math.floor(u * values.length)];
  const { low, high, scale, integer } = range!;
  // Every integer has an interval of its own, and on the linear scale all of the same length.
  const [from, to] = integer ? [low - 0.5, high + 0.5] : [low, high];
  const value = scale === "LOG" ? from * (to / from) ** u : from + u * (to - from);
  return integer ? Math.min(Math.max(Math.round(value), low), high) : Math.min(value, high);
}
