/** What a worker does with exports and batch predictions, done in the test; and a run with a model that nobody has trained. */
import { join } from "node:path";
import { recordedError } from "../../src/jobs/recordedError.ts";
import { encodeCheckpoint } from "../../src/model/checkpoint.ts";
import type { GateRule } from "../../src/model/checkpoint.ts";
import { initialise, initialiseBuffers } from "../../src/model/initialise.ts";
import type { HeadSpec, ModelSpec } from "../../src/model/spec.ts";
import { buildModel } from "../../src/model/model.ts";
import type { Cell } from "../../src/data/onlyCell.ts";
import { shapeOfCell } from "../../src/data/onlyCell.ts";
import type { ParamSpecs } from "../../src/plugin/contract.ts";
import { param } from "../../src/plugin/layers.ts";
import { backbonePlugin, loadPlugins } from "../../src/plugin/registry.ts";
import type { BatchParts } from "../../src/services/batch/batchJob.ts";
import { predictBatchJob } from "../../src/services/batch/batchJob.ts";
import { exportModelJob } from "../../src/services/modelExport/exportModelJob.ts";
import { exportJob } from "../../src/services/export/exportJob.ts";
import { cellOf, manifestOf } from "../../src/services/stored.ts";
import { loadConfig } from "../../src/config.ts";
import type { ClaimedJob } from "../../src/store/rows.ts";
import type { Store } from "../../src/store/store.ts";
import { defaultHyperParameters } from "../../src/training/hyperParameters.ts";
import { claimed } from "../store/testStore.ts";
import type { MadeServer } from "./madeRuns.ts";

const going = { lost: new AbortController().signal, stopping: new AbortController().signal };

export interface BulkWorker {
  readonly parts: BatchParts;
  /** Does everything that waits, one after the other. */
  workOff(): Promise<void>;
}

export async function startBulkWorker({ server, store }: MadeServer): Promise<BulkWorker> {
  const { pluginsFolder } = loadConfig({});
  const { plugins } = await loadPlugins(pluginsFolder);
  const scratchFolder = join(server.files, "..", "bulk");
  const parts = { store, plugins, filesFolder: server.files, scratchFolder, partRows: 1000 };
  return {
    parts,
    async workOff() {
      for (;;) {
        const job = await claimBulk(store);
        if (job === null) return;
        const work = { EXPORT: exportJob, EXPORT_MODEL: exportModelJob, PREDICT_BATCH: predictBatchJob }[
          job.kind as "EXPORT" | "EXPORT_MODEL" | "PREDICT_BATCH"
        ];
        await work(parts, job, going).catch((error: unknown) => store.jobs.fail(job, recordedError(error)));
      }
    },
  };
}

export function claimBulk(store: Store, leaseMs = 60_000): Promise<ClaimedJob | null> {
  return store.jobs.claim({ owner: "bulk", leaseMs, kinds: ["EXPORT", "EXPORT_MODEL", "PREDICT_BATCH"] });
}

export interface UntrainedModel {
  readonly cell?: Cell;
  /** With a gate network: hard gates row by row. Default: small towers. */
  readonly head?: HeadSpec;
  /** Default 1. Other weights. */
  readonly seed?: number;
}

export const towers: HeadSpec = { kind: "TOWERS", layers: [4] };
export const rowGates: HeadSpec = {
  kind: "AUTOIFS",
  scenarioLayers: [4],
  taskLayers: [],
  rank: 2,
  gates: "ROW",
  gateLayers: [8],
  batchNorm: false,
  dropout: 0,
};

/** Writes a run that has SUCCEEDED, with weights as they are before a training; answers its id. */
export async function untrainedRun(
  { store, plugins }: Pick<BatchParts, "store" | "plugins">,
  dataset: string,
  { cell, head = towers, seed = 1 }: UntrainedModel = {},
): Promise<string> {
  const model: ModelSpec = { backbone: { name: "shared-bottom", config: { layers: [8] } }, head };
  const { id } = await store.runs.create({
    kind: "TRAIN",
    datasetId: dataset,
    backboneName: model.backbone.name,
    backboneConfig: model.backbone.config,
    head: model.head,
    hyperParameters: defaultHyperParameters("RECOMMENDED"),
    configurationHash: "untrained",
    seed,
    engine: "compiled",
    ...(cell ? { cell } : {}),
  });
  const lease = await claimed(store);
  const whole = manifestOf(await store.datasets.get(dataset))!.shape;
  const shape = cell ? shapeOfCell(whole, cellOf(await store.runs.get(id))!) : whole;
  const embeddingDim = 4;
  const sizes = { ...shape, embeddingDim, scenarios: shape.scenarios.length, tasks: shape.tasks.length };
  const { weights, gates, buffers } = buildModel(model, backbonePlugin(plugins, model.backbone.name), sizes);
  const embedding = param([shape.ids, embeddingDim], { kind: "normal", std: 1 });
  const gateTable: ParamSpecs = head.kind === "AUTOIFS" ? { gateEmbedding: embedding } : {};
  const params = { embedding, ...gateTable, ...weights, ...gates };
  const arrays = { ...initialise(params, seed), ...initialiseBuffers(buffers) };
  const gateRule: GateRule | undefined = head.kind === "AUTOIFS" ? { kind: "HARD", threshold: 0 } : undefined;
  const bytes = encodeCheckpoint({ model, shape, embeddingDim, arrays, ...(gateRule ? { gateRule } : {}) });
  const { hash: checkpointHash } = await store.artifacts.put(bytes, "checkpoint");
  const { hash: predictionsHash } = await store.artifacts.put(new Uint8Array(4), "predictions");
  await store.runs.succeed(lease, { checkpointHash, predictionsHash, stopReason: "COMPLETED", timings: {} });
  return id;
}
