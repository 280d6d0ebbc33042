/** Rows by ascending score: a radix sort of float32 bits, in time proportional to the rows. */

export interface Ascending {
  /** Row numbers by ascending score; rows of equal score stay in their order [rows]. */
  readonly order: Uint32Array;
  /** Keys in that order: equal exactly where the scores are (−0 and 0 are), ascending [rows]. */
  readonly keys: Uint32Array;
}

const digitBits = 11;
const digits = 3; // 3 × 11 bits ≥ 32
const radix = 1 << digitBits;

/** Scores must not be NaN. Least significant digit first; a digit that all keys share costs no pass. */
export function ascending(scores: Float32Array): Ascending {
  const rows = scores.length;
  let keys = keysOf(scores);
  let order = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) order[row] = row;
  let nextKeys = new Uint32Array(rows);
  let nextOrder = new Uint32Array(rows);
  const counts = digitCounts(keys);
  for (let digit = 0; digit < digits; digit++) {
    const count = counts.subarray(digit * radix, (digit + 1) * radix);
    if (count.includes(rows)) continue;
    const place = starts(count);
    const shift = digit * digitBits;
    for (let i = 0; i < rows; i++) {
      const key = keys[i]!;
      const at = place[(key >>> shift) & (radix - 1)]!++;
      nextKeys[at] = key;
      nextOrder[at] = order[i]!;
    }
    [keys, nextKeys] = [nextKeys, keys];
    [order, nextOrder] = [nextOrder, order];
  }
  return { order, keys };
}

/** Unsigned integers in the order of the floats: negative ones with all bits flipped, the others with the sign bit. */
function keysOf(scores: Float32Array): Uint32Array<ArrayBuffer> {
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, scores.length);
  const keys = new Uint32Array(scores.length);
  for (let row = 0; row < keys.length; row++) {
    const b = bits[row]!;
    if (b === 0x80000000)
      keys[row] = 0x80000000; // −0 gets the key of 0
    else keys[row] = b > 0x80000000 ? ~b : b ^ 0x80000000;
  }
  return keys;
}

/** How often each value of each digit occurs [digits, radix]. */
function digitCounts(keys: Uint32Array): Uint32Array {
  const counts = new Uint32Array(digits * radix);
  for (let i = 0; i < keys.length; i++)
    for (let digit = 0; digit < digits; digit++)
      counts[digit * radix + ((keys[i]! >>> (digit * digitBits)) & (radix - 1))]!++;
  return counts;
}

/** Where the rows of each value of a digit begin [radix]. */
function starts(count: Uint32Array): Uint32Array {
  const place = new Uint32Array(radix);
  for (let value = 1; value < radix; value++) place[value] = place[value - 1]! + count[value - 1]!;
  return place;
}
