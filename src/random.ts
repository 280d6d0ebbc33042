/** Seeded random numbers: the same seed and stream give the same numbers on every machine. Not for secrets. */

export interface Random {
  /** 32 random bits as an unsigned integer. */
  bits(): number;
  /** In [0, 1), 24 bits. */
  uniform(): number;
  /** Standard normal (Box–Muller). */
  normal(): number;
  /** Where the stream stands; `randomFrom` goes on from there. */
  state(): RandomState;
}

export type RandomState = readonly [a: number, b: number, c: number, counter: number];

/** sfc32 (Chris Doty-Humphrey), its state mixed from the seed and the stream's name, so streams are independent. */
export function createRandom(seed: number, stream: string): Random {
  let hash = 2166136261 ^ (seed | 0);
  for (const byte of new TextEncoder().encode(`${seed}/${stream}`)) hash = Math.imul(hash ^ byte, 16777619);
  const random = randomFrom([hash | 0, seed | 0, Math.imul(hash, 0x9e3779b1) | 0, 1]);
  for (let i = 0; i < 16; i++) random.bits();
  return random;
}

/** A stream that goes on where another stood. */
export function randomFrom(state: RandomState): Random {
  let [a, b, c, counter] = state;
  const bits = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t >>> 0;
  };
  const uniform = (): number => (bits() >>> 8) / 16777216;
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { bits, uniform, normal, state: () => [a, b, c, counter] };
}
