/** How the losses of the tasks become one training: what can be chosen (docs/adr/0016). */
import { z } from "zod";

const taskWeights = z
  .array(z.strictObject({ task: z.string(), weight: z.number().positive().max(1e6) }))
  .min(1)
  .max(1000);

export const lossBalancingParameters = z.discriminatedUnion(
  "kind",
  [
    /** The sum of the tasks' losses. */
    z.strictObject({ kind: z.literal("EQUAL") }),
    /** The sum with weights; a task that is not named weighs 1. */
    z.strictObject({ kind: z.literal("FIXED"), weights: taskWeights }),
    /** Each task weighs by how uncertain its labels are, which is learnt (Kendall et al., CVPR 2018). */
    z.strictObject({ kind: z.literal("UNCERTAINTY") }),
    /** Weights under which the tasks' gradients have norms of one size, larger where a task learns slowly (Chen et al., ICML 2018). */
    z.strictObject({
      kind: z.literal("GRADNORM"),
      /** α: how much larger for tasks that learn slowly; 0 makes the norms equal. */
      asymmetry: z.number().min(0).max(10).default(1.5),
      /** Of the logarithms of the weights, per step. */
      learningRate: z.number().positive().max(1).default(0.025),
    }),
    /** From each task's gradient is taken what contradicts another's (Yu et al., NeurIPS 2020). */
    z.strictObject({ kind: z.literal("PCGRAD") }),
  ],
  { error: "one of EQUAL, FIXED, UNCERTAINTY, GRADNORM, PCGRAD" },
);

export type LossBalancing = z.output<typeof lossBalancingParameters>;

export const equalLosses: LossBalancing = { kind: "EQUAL" };
