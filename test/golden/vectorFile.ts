/** A golden vector file of the official AutoIFS code, with its parameters under this project's names. */
import type { NamedArray, NamedArrays } from "../../src/model/checkpoint.ts";
import type { ModelSizes, ModelSpec } from "../../src/model/spec.ts";

export type Vector = readonly number[];

export interface TaskForward {
  readonly full: Vector;
  readonly sh_sh: Vector;
  readonly k_m: Vector;
  readonly sh_m: Vector;
  readonly k_sh: Vector;
  readonly gate_w: Vector | readonly Vector[];
  readonly gate: Vector | readonly Vector[];
  readonly logit: Vector;
}

export type Forward = {
  readonly [task: `task${number}`]: TaskForward;
  readonly bce: Vector;
  readonly reg: Vector;
  readonly total_loss: number | Vector;
};

export interface Batch {
  readonly x: Vector | readonly Vector[];
  readonly d: Vector;
  readonly [label: `y${number}`]: Vector;
}

export type State = Readonly<Record<string, Vector | number | null>>;

export interface VectorFile {
  readonly config: {
    readonly field_num: number;
    readonly feat_num: number;
    readonly latent_dim: number;
    readonly mlp_dims: readonly number[];
    readonly domain_num: number;
    readonly task_num: number;
    readonly lora_r: number;
    readonly use_bn: boolean;
    readonly batch: number;
    readonly lr: number;
    readonly l2: number;
    readonly gate_lr: number;
    readonly r_lr: number;
    readonly r_l2: number;
    readonly reg_lambda1: number;
    readonly reg_lambda2: number;
  };
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly params: State;
  readonly batches: readonly Batch[];
  readonly forward: Readonly<Record<string, Forward>>;
  readonly grads: Readonly<Record<string, State>>;
  readonly search_steps: { readonly losses: Vector; readonly after1: State; readonly after3: State };
  readonly retrain: { readonly forward: Forward; readonly grads: State; readonly after1: State };
}

export function sizesOf({ config }: VectorFile): ModelSizes {
  return {
    fields: config.field_num,
    embeddingDim: config.latent_dim,
    scenarios: config.domain_num,
    tasks: config.task_num,
  };
}

export function modelOf({ config }: VectorFile): ModelSpec {
  const layers = config.mlp_dims.slice(0, 2);
  return {
    backbone: { name: "shared-bottom", config: { layers, batchNorm: config.use_bn, dropout: 0 } },
    head: {
      kind: "AUTOIFS",
      scenarioLayers: [config.mlp_dims[2]!],
      taskLayers: [],
      rank: config.lora_r,
      gates: "ROW",
      gateLayers: layers,
      batchNorm: config.use_bn,
      dropout: 0,
    },
  };
}

const flat = (values: Vector | readonly Vector[]): number[] => (values as readonly (number | Vector)[]).flat() as number[];
export { flat };

/** [rows, columns] → [columns, rows]: a PyTorch Linear keeps its kernel as [out, in]. */
function transposed({ shape: [rows, columns], values }: NamedArray): NamedArray {
  const result = values.map((_, i) => values[(i % rows!) * columns! + Math.floor(i / rows!)]!);
  return { shape: [columns!, rows!], values: result };
}

/**
 * The file's state under this project's names: embeddings, Linear layers [out, in] → [in, out], one gate head per task
 * side by side. Null entries (no gradient) and state nothing reads (`bn_layers.1`, batch counters) are left out.
 */
export function namedArrays(file: VectorFile, state: State): NamedArrays {
  const { config, shapes } = file;
  const read = (name: string): NamedArray | undefined => {
    const values = state[name];
    return values === null || values === undefined
      ? undefined
      : { shape: shapes[name]!, values: Float32Array.from(typeof values === "number" ? [values] : flat(values)) };
  };
  const result: Record<string, NamedArray> = {};
  const put = (name: string, array: NamedArray | undefined): void => {
    if (array) result[name] = array;
  };
  const linear = (official: string, name: string): void => {
    const weight = read(`${official}.weight`);
    put(`${name}.kernel`, weight && transposed(weight));
    put(`${name}.bias`, read(`${official}.bias`));
  };
  const norm = (official: string, name: string): void => {
    put(`${name}.gamma`, read(`${official}.weight`));
    put(`${name}.beta`, read(`${official}.bias`));
    put(`${name}.mean`, read(`${official}.running_mean`));
    put(`${name}.variance`, read(`${official}.running_var`));
  };
  put("embedding", read("embedding.embedding"));
  put("gateEmbedding", read("gate_embedding.embedding"));
  const slots = config.use_bn ? 4 : 3;
  for (const [official, name] of [
    ["share_mlp", "backbone/layer"],
    ["gate_hypernet", "gate/hidden"],
  ] as const)
    for (const j of [0, 1]) {
      linear(`${official}.mlp.${j * slots}`, `${name}.${j}`);
      if (config.use_bn) norm(`${official}.mlp.${j * slots + 1}`, `${name}.${j}.norm`);
    }
  for (const [letter, name] of [
    ["D", "head/scenario.0"],
    ["T", "head/task.0"],
  ] as const) {
    put(`${name}.shared.kernel`, read(`${letter}_kernels.0`));
    put(`${name}.shared.bias`, read(`${letter}_bias.0`));
    put(`${name}.loraA`, read(`${letter}_A_kernel.0`));
    put(`${name}.loraB`, read(`${letter}_B_kernel.0`));
    put(`${name}.loraBias`, read(`${letter}_lora_bias.0`));
  }
  if (config.use_bn) norm("bn_layers.0", "head/scenario.0.norm");
  const heads = Array.from({ length: config.task_num }, (_, m) => read(`gate_head${m}.weight`));
  if (heads.every((head) => head !== undefined)) {
    const stacked = { shape: [4 * config.task_num, heads[0]!.shape[1]!], values: joined(heads.map((head) => head.values)) };
    put("gate/flows.kernel", transposed(stacked));
    const biases = heads.map((_, m) => read(`gate_head${m}.bias`)!.values);
    put("gate/flows.bias", { shape: [4 * config.task_num], values: joined(biases) });
  }
  return result;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}
