// The step's work outside the graph, in AssemblyScript with SIMD: gather, scatter, Adam, dropout masks.
// Pointers are byte offsets into the one shared memory; every block is padded to 64 bytes, so tails may be overrun.
// The obvious reference of each kernel is test/engine/referenceKernels.ts.

// out[i, :] = table[ids[i], :]; rows of D values.
export function gather(ids: usize, n: i32, table: usize, D: i32, out: usize): void {
  const row = (<usize>D) << 2;
  const vectors = row & ~15;
  for (let i = 0; i < n; i++) {
    const from = table + <usize>load<i32>(ids + ((<usize>i) << 2)) * row;
    const to = out + <usize>i * row;
    for (let j: usize = 0; j < vectors; j += 16) v128.store(to + j, v128.load(from + j));
    for (let j = vectors; j < row; j += 4) store<f32>(to + j, load<f32>(from + j));
  }
}

// gradient[ids[i], :] += dx[i, :]; rows of D values. In row order, so the sums are the same in every run.
export function scatterAdd(ids: usize, n: i32, dx: usize, D: i32, gradient: usize): void {
  const row = (<usize>D) << 2;
  const vectors = row & ~15;
  for (let i = 0; i < n; i++) {
    const to = gradient + <usize>load<i32>(ids + ((<usize>i) << 2)) * row;
    const from = dx + <usize>i * row;
    for (let j: usize = 0; j < vectors; j += 16) v128.store(to + j, f32x4.add(v128.load(to + j), v128.load(from + j)));
    for (let j = vectors; j < row; j += 4) store<f32>(to + j, load<f32>(to + j) + load<f32>(from + j));
  }
}

// Adam with coupled L2 over n values: g += l2·w; m, v moments; w -= rate·(m·c1) / (sqrt(v·c2) + eps),
// c1 = 1/(1 - b1^t), c2 = 1/(1 - b2^t). The gradient is set to 0 on the way, ready for the next scatterAdd.
// Returns the sum of g - g over the gradient as it came: 0, or NaN where a value was infinite or not a number.
export function adam(
  w: usize,
  m: usize,
  v: usize,
  g: usize,
  n: i32,
  b1: f32,
  b2: f32,
  c1: f32,
  c2: f32,
  rate: f32,
  eps: f32,
  l2: f32,
): f32 {
  const B1 = f32x4.splat(b1),
    D1 = f32x4.splat(1 - b1),
    B2 = f32x4.splat(b2),
    D2 = f32x4.splat(1 - b2);
  const C1 = f32x4.splat(c1),
    C2 = f32x4.splat(c2),
    R = f32x4.splat(rate),
    E = f32x4.splat(eps),
    L = f32x4.splat(l2);
  const Z = f32x4.splat(0);
  let faults = Z;
  const bytes: usize = (<usize>((n + 3) & ~3)) << 2;
  for (let j: usize = 0; j < bytes; j += 16) {
    const w4 = v128.load(w + j);
    const given = v128.load(g + j);
    faults = f32x4.add(faults, f32x4.sub(given, given));
    const g4 = f32x4.add(given, f32x4.mul(w4, L));
    const m4 = f32x4.add(f32x4.mul(v128.load(m + j), B1), f32x4.mul(g4, D1));
    const v4 = f32x4.add(f32x4.mul(v128.load(v + j), B2), f32x4.mul(f32x4.mul(g4, g4), D2));
    v128.store(m + j, m4);
    v128.store(v + j, v4);
    v128.store(g + j, Z);
    v128.store(
      w + j,
      f32x4.sub(w4, f32x4.div(f32x4.mul(R, f32x4.mul(m4, C1)), f32x4.add(f32x4.sqrt(f32x4.mul(v4, C2)), E))),
    );
  }
  return (
    f32x4.extract_lane(faults, 0) +
    f32x4.extract_lane(faults, 1) +
    f32x4.extract_lane(faults, 2) +
    f32x4.extract_lane(faults, 3)
  );
}

// mean += rate·(values - mean) over n values.
export function average(mean: usize, values: usize, n: i32, rate: f32): void {
  const R = f32x4.splat(rate);
  const bytes: usize = (<usize>((n + 3) & ~3)) << 2;
  for (let j: usize = 0; j < bytes; j += 16) {
    const m4 = v128.load(mean + j);
    v128.store(mean + j, f32x4.add(m4, f32x4.mul(R, f32x4.sub(v128.load(values + j), m4))));
  }
}

// out[i] = random >= threshold ? scale : 0, xorshift128 in four lanes; state is 64 bytes, moved on.
export function dropoutMask(out: usize, n: i32, threshold: u32, scale: f32, state: usize): void {
  let x = v128.load(state),
    y = v128.load(state + 16),
    z = v128.load(state + 32),
    w = v128.load(state + 48);
  const T = i32x4.splat(<i32>threshold),
    S = f32x4.splat(scale);
  const bytes: usize = (<usize>((n + 3) & ~3)) << 2;
  for (let j: usize = 0; j < bytes; j += 16) {
    let t = v128.xor(x, i32x4.shl(x, 11));
    x = y;
    y = z;
    z = w;
    t = v128.xor(t, i32x4.shr_u(t, 8));
    w = v128.xor(v128.xor(w, i32x4.shr_u(w, 19)), t);
    v128.store(out + j, v128.and(i32x4.ge_u(w, T), S));
  }
  v128.store(state, x);
  v128.store(state + 16, y);
  v128.store(state + 32, z);
  v128.store(state + 48, w);
}
