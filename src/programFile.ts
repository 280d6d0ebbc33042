/** Where a program lies that runs as a process or thread of its own, and what Node needs to run it. */

export interface ProgramFile {
  readonly url: URL;
  readonly fromSource: boolean;
  /** Options of Node for a process. From TypeScript it needs the loader that this one may have by other means; from JavaScript nothing. */
  readonly execArgv: readonly string[];
}

/** `caller` is its `import.meta.url`, `name` the way from there to the program, without its ending, which is the caller's. */
export function programFile(caller: string, name: string): ProgramFile {
  return caller.endsWith(".ts")
    ? {
        url: new URL(`${name}.ts`, caller),
        fromSource: true,
        execArgv: ["--import", "tsx", "--conditions", "autoifs-source"],
      }
    : { url: new URL(`${name}.js`, caller), fromSource: false, execArgv: [] };
}
