/** Embedding tables with each row kept once: for rows that are bitwise equal, in one table or between two. */

export interface SharedRows {
  /** [rows, dim] */
  readonly table: Float32Array;
  readonly rows: number;
  /** Per given table the row of each id [ids], undefined where it is the id itself. */
  readonly rowOfId: readonly (Int32Array | undefined)[];
}

/** Tables [ids, dim] of one size. Undefined where keeping them as they are takes no more bytes. */
export function shareRows(tables: readonly Float32Array[], dim: number): SharedRows | undefined {
  const ids = tables[0]!.length / dim;
  const bits = tables.map(({ buffer, byteOffset, length }) => new Int32Array(buffer, byteOffset, length));
  const kept: { table: number; id: number }[] = [];
  const byHash = new Map<number, number[]>();
  const rowOfId = tables.map(() => new Int32Array(ids));
  for (const [table, words] of bits.entries())
    for (let id = 0; id < ids; id++) {
      const hash = hashOf(words, id * dim, dim);
      const candidates = byHash.get(hash) ?? [];
      let row = candidates.find((at) => {
        const other = kept[at]!;
        return isEqual(words, id * dim, bits[other.table]!, other.id * dim, dim);
      });
      if (row === undefined) {
        row = kept.push({ table, id }) - 1;
        byHash.set(hash, [...candidates, row]);
      }
      rowOfId[table]![id] = row;
    }
  const maps = rowOfId.map((map) => (map.every((row, id) => row === id) ? undefined : map));
  const numbers = kept.length * dim + maps.reduce((sum, map) => sum + (map?.length ?? 0), 0);
  if (numbers >= tables.length * ids * dim) return undefined;
  const table = new Float32Array(kept.length * dim);
  for (const [row, { table: from, id }] of kept.entries())
    table.set(tables[from]!.subarray(id * dim, (id + 1) * dim), row * dim);
  return { table, rows: kept.length, rowOfId: maps };
}

function hashOf(words: Int32Array, start: number, count: number): number {
  let hash = 17;
  for (let i = start; i < start + count; i++) hash = Math.imul(hash ^ words[i]!, 0x9e3779b1) + (hash >>> 15);
  return hash | 0;
}

function isEqual(a: Int32Array, atA: number, b: Int32Array, atB: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (a[atA + i] !== b[atB + i]) return false;
  return true;
}
