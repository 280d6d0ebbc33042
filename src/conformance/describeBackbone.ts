/** The whole contract as tests of a plugin, with one call. */
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, it } from "vitest";
import type { BackbonePlugin } from "../plugin/contract.ts";
import { contract, type Subject } from "./contract.ts";

/** Registers one test per rule. `label` tells two configurations of one plugin apart. */
export function describeBackbone(plugin: BackbonePlugin, subject: Omit<Subject, "plugin"> & { label?: string }): void {
  const { label = "small" } = subject;
  describe(`${plugin.name} (${label}) keeps the contract of a backbone`, () => {
    beforeAll(useReferenceBackend);
    for (const [sentence, check] of Object.entries(contract)) it(sentence, () => check({ ...subject, plugin }));
  });
}

/** The rules compute on tfjs `cpu`, the reference. */
export async function useReferenceBackend(): Promise<void> {
  await tf.setBackend("cpu");
}
