/** The models that are ready to answer: loaded when they are first asked, the few asked last are kept. */
import type { Transform } from "../../data/transform.ts";
import type { Predictor } from "../../serving/predictor.ts";
import type { Run } from "../../store/rows.ts";

export interface ReadyModel {
  readonly transform: Transform;
  readonly predictor: Predictor;
}

export interface Predictors {
  /** Calls `use` with the model of a run. The model is not released while it is in use. */
  with<T>(run: Run, use: (model: ReadyModel) => Promise<T>): Promise<T>;
  /** Releases all models; nobody may be using one. */
  close(): Promise<void>;
}

export interface PredictorsOptions {
  load(run: Run): Promise<ReadyModel>;
  /** Models to keep, each with its embedding table in memory; default 4. */
  readonly capacity?: number;
}

interface Entry {
  readonly model: Promise<ReadyModel>;
  users: number;
}

export function createPredictors({ load, capacity = 4 }: PredictorsOptions): Predictors {
  /** By run id, the one asked longest ago first. */
  const entries = new Map<string, Entry>();

  const enter = (run: Run): Entry => {
    const entry = entries.get(run.id) ?? { model: load(run), users: 0 };
    entries.delete(run.id);
    entries.set(run.id, entry);
    entry.users++;
    return entry;
  };

  const leave = async (run: Run, entry: Entry): Promise<void> => {
    entry.users--;
    // A model that could not be loaded is tried again by whoever asks next.
    const loaded = await entry.model.then(
      () => true,
      () => false,
    );
    if (!loaded && entries.get(run.id) === entry) entries.delete(run.id);
    for (const [id, { model, users }] of entries) {
      if (entries.size <= capacity) return;
      if (users > 0) continue;
      entries.delete(id);
      await (await model).predictor.release();
    }
  };

  return {
    async with(run, use) {
      const entry = enter(run);
      try {
        return await use(await entry.model);
      } finally {
        await leave(run, entry);
      }
    },
    async close() {
      const models = [...entries.values()].map(({ model }) => model);
      entries.clear();
      for (const model of models) await (await model).predictor.release();
    },
  };
}
