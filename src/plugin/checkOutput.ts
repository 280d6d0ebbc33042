/** Whether what a plugin gives has the form of a backbone, and of its output. What is wrong is said for the plugin's author. */
import { Tensor } from "@tensorflow/tfjs-core";
import { z } from "zod";
import type { Backbone, BackboneOutput, Representations } from "./contract.ts";

const shape = z.array(z.int().min(0));
const site = { width: z.int().positive() };
const fn = z.custom<(...values: never[]) => unknown>((value) => typeof value === "function", "expected a function");

const backboneForm = z.object({
  outputDim: z.int().positive(),
  perTask: z.boolean(),
  params: z.record(
    z.string(),
    z.object({
      shape,
      init: z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("constant"), value: z.number() }),
        z.object({ kind: z.literal("uniform"), limit: z.number() }),
        z.object({ kind: z.literal("normal"), std: z.number() }),
      ]),
      learningRateFactor: z.number().optional(),
    }),
  ),
  buffers: z.record(z.string(), z.object({ shape, value: z.number() })).optional(),
  dropout: z.record(z.string(), z.object({ ...site, rate: z.number().min(0).max(1) })).optional(),
  noise: z.record(z.string(), z.object({ ...site, std: z.number() })).optional(),
  forward: fn,
  logitLosses: fn.optional(),
});

/** Gives it back. Throws an Error naming the first member that is wrong. */
export function checkBackbone(backbone: Backbone): Backbone {
  const result = backboneForm.safeParse(backbone);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new Error(`what it gives: ${[...issue!.path].join(".") || "the backbone"}: ${issue!.message}`);
  }
  const { params, buffers = {}, dropout = {}, noise = {} } = backbone;
  // Each pair is found by its names alone.
  refuseBoth("buffers", buffers, "params", params);
  refuseBoth("noise", noise, "dropout", dropout);
  return backbone;
}

function refuseBoth(what: string, some: object, other: string, others: object): void {
  const name = Object.keys(some).find((one) => Object.hasOwn(others, one));
  if (name === undefined) return;
  throw new Error(`what it gives: ${what}.${name}: expected a name of its own, but it is among ${other}`);
}

/** Gives it back. Throws an Error saying what was expected and what came. */
export function checkOutput(
  output: BackboneOutput,
  { outputDim, perTask }: Pick<Backbone, "outputDim" | "perTask">,
  tasks: number,
): BackboneOutput {
  if (typeof output !== "object" || output === null || output instanceof Promise)
    throw new Error(`expected representations, got ${output instanceof Promise ? "a promise" : String(output)}`);
  const more = "representations" in output ? output : { representations: output };
  const representations = listed(more.representations);
  const count = perTask ? tasks : 1;
  if (representations.length !== count)
    throw new Error(`expected ${count} representation(s), got ${representations.length}`);
  for (const representation of representations) checkTensor("representations", representation, outputDim);
  if (!("representations" in output)) return output;
  const { logitBias, statistics = {}, auxiliaryLosses = {} } = output;
  if (logitBias) checkTensor("logitBias", logitBias, tasks);
  for (const [name, x] of Object.entries(statistics)) checkTensor(`statistics ${name}`, x, "n");
  checkLosses(auxiliaryLosses);
  return output;
}

/** Gives them back. Throws an Error where one is no scalar. */
export function checkLosses<T extends Readonly<Record<string, unknown>>>(losses: T): T {
  for (const [name, x] of Object.entries(losses)) {
    if (x instanceof Tensor && x.shape.length === 0) continue;
    throw new Error(`expected the loss ${name} as a scalar, got ${x instanceof Tensor ? axesOf(x) : kindOf(x)}`);
  }
  return losses;
}

function listed(representations: Representations): readonly unknown[] {
  return Array.isArray(representations) ? representations : [representations];
}

/** `width`: n where it may be any. */
function checkTensor(what: string, x: unknown, width: number | "n"): void {
  const expected = `expected ${what} [batch, ${width}]`;
  if (!(x instanceof Tensor)) throw new Error(`${expected}, got ${kindOf(x)}`);
  // While it is recorded the size of the batch is a number that means any.
  if (x.shape.length !== 2) throw new Error(`${expected}, got ${axesOf(x)}`);
  if (width !== "n" && x.shape[1] !== width) throw new Error(`${expected}, got [batch, ${x.shape[1]}]`);
}

function axesOf({ shape }: Tensor): string {
  return shape.length === 1 ? "1 axis" : `${shape.length} axes`;
}

function kindOf(x: unknown): string {
  return typeof x === "object" ? "no tensor" : String(x);
}
