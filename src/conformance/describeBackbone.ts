/** The whole contract as tests of a plugin, with one call. The only file of the kit that needs vitest. */
import type { BackbonePlugin } from "../plugin/contract.ts";
import { type Configuration, contract } from "./contract.ts";
import { useReferenceBackend } from "./trial.ts";

// Where it is not installed, as beside a running server, all the rest of the kit can be used.
const vitest = await import("vitest").catch(() => undefined);

/** Registers one test per rule. `label` tells two configurations of one plugin apart. */
export function describeBackbone(plugin: BackbonePlugin, configuration: Configuration): void {
  if (!vitest) throw new Error("describeBackbone: needs vitest: npm install --save-dev vitest");
  const { beforeAll, describe, it } = vitest;
  const { label = "small" } = configuration;
  describe(`${plugin.name} (${label}) keeps the contract of a backbone`, () => {
    beforeAll(useReferenceBackend);
    for (const [sentence, rule] of Object.entries(contract)) it(sentence, () => rule({ ...configuration, plugin }));
  });
}
