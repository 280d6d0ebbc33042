/** The head of a model as a caller describes it, with the defaults of the paper's own model. */
import { z } from "zod";
import type { HeadSpec } from "../../model/spec.ts";
import { defaultGates, type Preset } from "../../training/hyperParameters.ts";

const widths = z.array(z.int().min(1).max(8192)).max(8);

const headShape = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("AUTOIFS"),
    scenarioLayers: widths.min(1).default([256]),
    taskLayers: widths.default([]),
    rank: z.int().min(1).max(64).default(2),
    /** Default: the preset's. */
    gates: z.enum(["ROW", "CELL"]).exactOptional(),
    gateLayers: widths.min(1).default([1024, 512]),
    batchNorm: z.boolean().default(false),
    dropout: z.number().min(0).max(0.9).default(0),
  }),
  z.strictObject({ kind: z.literal("TOWERS"), layers: widths.default([64]) }),
]);

export const headInput: z.ZodType<HeadInput> = headShape;

export type HeadInput = z.output<typeof headShape>;

/** With what the preset decides. */
export function completeHead(head: HeadInput, preset: Preset): HeadSpec {
  return head.kind === "AUTOIFS" ? { ...head, gates: head.gates ?? defaultGates(preset) } : head;
}
