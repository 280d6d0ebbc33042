/**
 * Tasks that count only where another task is 1, as a conversion does where there was a click. What a model answers for one is
 * the probability of both, so its logit is composed of its own one and the condition's. Plain numbers; the same in tensors is
 * model/conditionalTasks.ts.
 */

/** Of each task the index of the one that must be 1, itself perhaps conditional; null: it always counts [tasks]. */
export type TaskConditions = readonly (number | null)[];

/** All tasks, each behind its condition. Throws where conditions go in a circle. */
export function behindConditions(conditions: TaskConditions): number[] {
  const order: number[] = [];
  while (order.length < conditions.length) {
    const next = conditions.findIndex((condition, task) => {
      return !order.includes(task) && (condition === null || order.includes(condition));
    });
    if (next < 0) throw new Error(`conditions: expected none in a circle, got ${JSON.stringify(conditions)}`);
    order.push(next);
  }
  return order;
}

/** The conditions of the first tasks alone; undefined where none of them has one. */
export function leadingConditions(conditions: TaskConditions | undefined, tasks: number): TaskConditions | undefined {
  const leading = conditions?.slice(0, tasks);
  return leading?.some((condition) => condition !== null) ? leading : undefined;
}

/** c with σ(c) = σ(a)·σ(b), for every finite a and b: −ln(e^−a + e^−b + e^−a−b) = a − ln(1 + e^(ln(1 + e^a) − b)). */
export function composedLogit(a: number, b: number): number {
  return a - softplus(softplus(a) - b);
}

/** Own logits become composed ones, in place [rows, tasks]. */
export function composeLogits(logits: Float64Array, conditions: TaskConditions | undefined): Float64Array {
  if (!conditions) return logits;
  const [order, T] = [behindConditions(conditions), conditions.length];
  for (let row = 0; row < logits.length; row += T) {
    for (const task of order) {
      const condition = conditions[task]!;
      if (condition !== null) logits[row + task] = composedLogit(logits[row + condition]!, logits[row + task]!);
    }
  }
  return logits;
}

function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
