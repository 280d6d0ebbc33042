/** How many ids and numbers a row of a model's inputs has, and which of its ids are there rather than padding. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { type FieldLayout, fieldPlaces, idsPerRow, numbersPerRow } from "../fieldLayout.ts";
import type { ModelSizes } from "./spec.ts";

export interface RowSlots {
  /** Per row. */
  readonly ids: number;
  readonly numbers: number;
  /** Ids of POOLED fields. */
  readonly pooled: number;
  /** Of the ids of POOLED fields, in order: 1, or 0 for padding [rows, pooled], from the ids of rows [rows, ids]. */
  fillPresent(ids: Int32Array, into: Float32Array): void;
  /** The same in a graph, from ids int32 [batch, ids] → [batch, pooled]; undefined where there are none. */
  present(ids: Tensor2D): Tensor2D | undefined;
}

export function rowSlots({ fields, layouts }: Pick<ModelSizes, "fields" | "layouts">): RowSlots {
  if (!layouts) return { ids: fields, numbers: 0, pooled: 0, fillPresent: () => {}, present: () => undefined };
  const ids = idsPerRow(layouts);
  const pooled = pooledIds(layouts);
  const places = fieldPlaces(layouts).flatMap(({ layout, firstId }) =>
    layout.kind === "POOLED" ? [{ firstId, ...layout }] : [],
  );
  return {
    ids,
    numbers: numbersPerRow(layouts),
    pooled,
    fillPresent(all, into) {
      let next = 0;
      for (let row = 0; pooled > 0 && row < all.length; row += ids)
        for (const { firstId, length, padding } of places)
          for (let i = 0; i < length; i++) into[next++] = Number(all[row + firstId + i] !== padding);
    },
    present(all) {
      const parts = places.map(({ firstId, length, padding }) => {
        const own = tf.slice2d(all, [0, firstId], [-1, length]); // [batch, length]
        return tf.cast<Tensor2D>(tf.notEqual(own, tf.scalar(padding, "int32")), "float32");
      });
      return parts.length > 1 ? tf.concat2d(parts, 1) : parts[0];
    },
  };
}

/** Ids of POOLED fields per row. */
export function pooledIds(layouts: readonly FieldLayout[]): number {
  return idsPerRow(layouts.filter(({ kind }) => kind === "POOLED"));
}
