/**
 * A trained model as named arrays with a description. On disk it is a safetensors file: an 8-byte little-endian
 * header length, a JSON header (our description under `__metadata__`), then the arrays' bytes.
 */
import type { DatasetShape } from "../data/spec.ts";
import type { ModelSizes, ModelSpec } from "./spec.ts";

export interface NamedArray {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export type NamedArrays = Readonly<Record<string, NamedArray>>;

/** The same with values of their own. */
export function copied(arrays: NamedArrays): NamedArrays {
  const copies = Object.entries(arrays).map(([name, { shape, values }]) => [name, { shape, values: values.slice() }]);
  return Object.fromEntries(copies) as NamedArrays;
}

/** How a model's gates are applied. */
export type GateRule =
  /** σ(τw), after a search. */
  | { readonly kind: "SOFT"; readonly temperature: number }
  /** 1[w > threshold] row by row, after a prune. */
  | { readonly kind: "HARD"; readonly threshold: number }
  /** The same for all rows of a cell, after a prune: 1 removes the flow [S, T, 4]. The model has no gates of its own. */
  | { readonly kind: "FIXED"; readonly removed: readonly number[] };

/** What a checkpoint says of itself; all that prediction needs besides the arrays. */
export interface CheckpointDescription {
  readonly model: ModelSpec;
  readonly embeddingDim: number;
  readonly shape: DatasetShape;
  /** Absent for towers. */
  readonly gateRule?: GateRule;
}

export function modelSizes({ shape, embeddingDim }: Pick<CheckpointDescription, "shape" | "embeddingDim">): ModelSizes {
  const { fields, columns, layouts, scenarios, tasks, conditions } = shape;
  const ofFields = { fields, ...(columns ? { columns } : {}), ...(layouts ? { layouts } : {}) };
  const ofTasks = { tasks: tasks.length, ...(conditions ? { conditions } : {}) };
  return { ...ofFields, embeddingDim, scenarios: scenarios.length, ...ofTasks };
}

export interface Checkpoint extends CheckpointDescription {
  /**
   * "embedding" [ids, e], the model's parameters and buffers by name, and with hard gates of rows "gateEmbedding"
   * [ids, e] and what there is of "gateFields/...".
   * A search's checkpoint also holds the weights at the rewind epoch under "rewind/...".
   */
  readonly arrays: NamedArrays;
}

interface TensorEntry {
  readonly dtype: "F32";
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

export function encodeCheckpoint({ arrays, ...description }: Checkpoint): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { autoifs: JSON.stringify(description) } };
  let offset = 0;
  for (const [name, { shape, values }] of Object.entries(arrays)) {
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + values.byteLength] } satisfies TensorEntry;
    offset += values.byteLength;
  }
  const text = JSON.stringify(header);
  const json = Buffer.from(text + " ".repeat((8 - (Buffer.byteLength(text) % 8)) % 8));
  const bytes = new Uint8Array(8 + json.length + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  let at = 8 + json.length;
  for (const { values } of Object.values(arrays)) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

/** Throws where the bytes are not such a file. */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const headerLength = bytes.length < 8 ? Infinity : Number(Buffer.from(bytes.subarray(0, 8)).readBigUInt64LE());
  const start = 8 + headerLength;
  if (start > bytes.length)
    throw new Error(`checkpoint: expected a header of ${headerLength} bytes, got a file of ${bytes.length}`);
  const { __metadata__, ...entries } = JSON.parse(Buffer.from(bytes.subarray(8, start)).toString()) as Record<
    string,
    TensorEntry
  > & {
    __metadata__?: { autoifs?: string };
  };
  if (!__metadata__?.autoifs) throw new Error("checkpoint: the header lacks this project's description");
  const arrays = Object.entries(entries).map(
    ([
      name,
      {
        shape,
        data_offsets: [from, to],
      },
    ]) => {
      if (start + to > bytes.length) throw new Error(`checkpoint: the array ${name} is cut off`);
      const copy = bytes.slice(start + from, start + to); // aligned, and independent of the file's buffer
      return [name, { shape, values: new Float32Array(copy.buffer, copy.byteOffset, copy.byteLength / 4) }] as const;
    },
  );
  return { ...(JSON.parse(__metadata__.autoifs) as CheckpointDescription), arrays: Object.fromEntries(arrays) };
}
