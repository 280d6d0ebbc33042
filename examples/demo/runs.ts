/** The second half of the demo: queue a run, follow it, and read its figures. */
import type { Query } from "./client.ts";
import { bar, beginStep } from "./terminal.ts";

export interface Cell {
  readonly scenario: { readonly key: string };
  readonly task: { readonly key: string };
  readonly auc: number | null;
  readonly logloss: number | null;
  readonly rows: number;
}

export interface RunAnswer {
  readonly id: string;
  readonly state: "QUEUED" | "RUNNING" | "SUCCEEDED" | "FAILED" | "CANCELLED";
  readonly error: { readonly message: string } | null;
  readonly progress: {
    readonly epoch: number;
    readonly epochs: number;
    readonly step: number;
    readonly steps: number;
    readonly samplesPerSecond: number;
    readonly loss: number | null;
  } | null;
  readonly history: readonly {
    readonly epoch: number;
    readonly matrices: readonly { readonly meanAuc: number | null }[];
  }[];
  readonly matrix: { readonly meanAuc: number | null; readonly cells: readonly Cell[] } | null;
  readonly flows: readonly {
    readonly scenario: { readonly key: string };
    readonly task: { readonly key: string };
    readonly flow: string;
    readonly shareRemoved: number;
  }[];
}

/** Queues a training and follows it to its end. */
export async function train(query: Query, title: string, input: object): Promise<RunAnswer> {
  const { trainModel } = await query<{ trainModel: { run: { id: string } } }>(
    /* GraphQL */ `
      mutation Train($input: TrainModelInput!) {
        trainModel(input: $input) {
          run {
            id
          }
        }
      }
    `,
    { input },
  );
  return follow(query, title, trainModel.run.id);
}

/** Queues the retrain of a search and follows it to its end. */
export async function prune(query: Query, title: string, input: object): Promise<RunAnswer> {
  const { pruneModel } = await query<{ pruneModel: { run: { id: string } } }>(
    /* GraphQL */ `
      mutation Prune($input: PruneModelInput!) {
        pruneModel(input: $input) {
          run {
            id
          }
        }
      }
    `,
    { input },
  );
  return follow(query, title, pruneModel.run.id);
}

async function follow(query: Query, title: string, id: string): Promise<RunAnswer> {
  const step = beginStep(title);
  for (;;) {
    const run = await readRun(query, id);
    if (run.state === "FAILED" || run.state === "CANCELLED") {
      throw new Error(`${title}: ${run.state}: ${run.error?.message ?? ""}`);
    }
    const epochs = run.history.length;
    if (run.state === "SUCCEEDED") {
      step.done(`${epochs} epochs, mean test AUC ${run.matrix?.meanAuc?.toFixed(4)}`);
      return run;
    }
    const auc = run.history.at(-1)?.matrices.at(-1)?.meanAuc;
    if (run.progress) step.update(`${progressText(run.progress)}${auc ? `, validation AUC ${auc.toFixed(4)}` : ""}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function progressText({
  epoch,
  epochs,
  step,
  steps,
  samplesPerSecond,
  loss,
}: NonNullable<RunAnswer["progress"]>): string {
  const speed = `${Math.round(samplesPerSecond).toLocaleString("en")} rows/s`;
  return `${bar(step / steps)} epoch ${epoch} (of at most ${epochs}), ${speed}, loss ${loss?.toFixed(3) ?? "none"}`;
}

async function readRun(query: Query, id: string): Promise<RunAnswer> {
  const { run } = await query<{ run: RunAnswer }>(
    /* GraphQL */ `
      query Run($id: ID!) {
        run(id: $id) {
          id
          state
          error {
            message
          }
          progress {
            epoch
            epochs
            step
            steps
            samplesPerSecond
            loss
          }
          history {
            epoch
            matrices {
              meanAuc
            }
          }
          matrix {
            meanAuc
            cells {
              scenario {
                key
              }
              task {
                key
              }
              auc
              logloss
              rows
            }
          }
          flows {
            scenario {
              key
            }
            task {
              key
            }
            flow
            shareRemoved
          }
        }
      }
    `,
    { id },
  );
  return run;
}
