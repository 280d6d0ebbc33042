/** Options of a benchmark: `--name value` on the command line, each with a default in the code. */

export interface Options {
  number(name: string, standard: number): number;
  /** Comma-separated. */
  numbers(name: string, standard: readonly number[]): readonly number[];
  text(name: string, standard: string): string;
}

/** Throws on a value that is not a number where one is asked for. */
export function parseOptions(args: readonly string[]): Options {
  const given = new Map<string, string>();
  for (let i = 0; i < args.length; i += 2) {
    const name = args[i]!;
    if (!name.startsWith("--") || args[i + 1] === undefined)
      throw new Error(`bench: expected --name value, got ${name}`);
    given.set(name.slice(2), args[i + 1]!);
  }
  const toNumber = (name: string, text: string): number => {
    const value = Number(text);
    if (text === "" || Number.isNaN(value)) throw new Error(`bench: --${name}: expected a number, got ${text}`);
    return value;
  };
  return {
    number: (name, standard) => (given.has(name) ? toNumber(name, given.get(name)!) : standard),
    numbers: (name, standard) =>
      given
        .get(name)
        ?.split(",")
        .map((text) => toNumber(name, text)) ?? standard,
    text: (name, standard) => given.get(name) ?? standard,
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

/** Nearest rank, to a hundredth. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.ceil(share * sorted.length) - 1]! * 100) / 100;
}
