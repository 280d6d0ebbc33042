/** Loads the model of a run that has ended: its checkpoint, and the transform of the dataset it was trained on. */
import { transformFromJson } from "../../data/transform.ts";
import { ConflictError } from "../../errors.ts";
import { decodeCheckpoint } from "../../model/checkpoint.ts";
import type { BackbonePlugin } from "../../plugin/contract.ts";
import { backbonePlugin } from "../../plugin/registry.ts";
import { loadPredictor } from "../../serving/predictor.ts";
import type { Run } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import { modelArraysOf } from "../../training/trainingState.ts";
import type { ReadyModel } from "./predictors.ts";
import { manifestOf } from "../stored.ts";

export interface ModelSources {
  readonly store: Store;
  readonly plugins: ReadonlyMap<string, BackbonePlugin>;
}

/** Throws ConflictError for a run without a model, NotFoundError where its backbone is not installed any more. */
export async function loadModel({ store, plugins }: ModelSources, run: Run): Promise<ReadyModel> {
  const manifest = manifestOf(await store.datasets.get(run.datasetId));
  if (!manifest || !run.checkpointHash) {
    throw new ConflictError(`run ${run.id}: expected a run with a model, but it is ${run.state}`);
  }
  const json = await store.artifacts.read(manifest.files["transform.json"].sha256);
  const checkpoint = decodeCheckpoint(await store.artifacts.read(run.checkpointHash));
  // The checkpoint of a run that was broken off also holds what it would take to go on.
  const model = { ...checkpoint, arrays: modelArraysOf(checkpoint.arrays) };
  return {
    transform: transformFromJson(JSON.parse(Buffer.from(json).toString("utf8"))),
    predictor: await loadPredictor(model, backbonePlugin(plugins, run.backboneName)),
  };
}
