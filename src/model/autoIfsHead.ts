/**
 * The AutoIFS head: scenario layers and task layers, each a shared map plus low-rank maps (LoRA) per scenario or task,
 * and the four information flows through them (AutoIFS, WSDM 2026, arXiv 2512.13396; any depth, any S and T).
 * With gates of rows the flows are the paper's; with gates of cells they are the effects of the two kinds of own maps,
 * of which the full logit is the sum, so that removing one is the same as not having it (docs/adr/0013).
 * The gates that remove flows are gateNetwork.ts; what trains it all is not here.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";
import type { BufferSpecs, DropoutSpecs, ForwardMode, Params, ParamSpecs } from "../plugin/contract.ts";
import {
  batchNorm,
  batchNormBuffers,
  batchNormParams,
  dense,
  denseParams,
  glorotNormal,
  matrix,
  param,
  zeros,
} from "../plugin/layers.ts";
import type { AutoIfsHead } from "./spec.ts";

export interface HeadSizes {
  /** Width of the backbone's representations. */
  readonly inputDim: number;
  readonly scenarios: number;
  readonly tasks: number;
}

export interface PartialLogits {
  /** y_full of every task [batch, T]. */
  readonly full: Tensor2D;
  /** f_0..f_3 of every task, task by task in the order of `flowNames` [batch, 4T]. */
  readonly flows: Tensor2D;
}

export interface AutoIfsLayers {
  readonly params: ParamSpecs;
  readonly buffers: BufferSpecs;
  readonly dropout: DropoutSpecs;
  /** `representations`: one for all tasks, or one per task, each [batch, inputDim]. */
  forward(p: Params, representations: readonly Tensor2D[], scenarioOneHot: Tensor2D, mode: ForwardMode): PartialLogits;
  /**
   * Σ over layers of ‖mean_k A_k·B_k‖² + ‖mean_k c_k‖², a scalar: how far the own maps of all scenarios, or of all tasks,
   * are from being deviations that cancel out. What they have in common belongs to the shared map.
   */
  common(p: Params): Tensor;
}

export function autoIfsHead(sizes: HeadSizes, head: AutoIfsHead): AutoIfsLayers {
  const { scenarios: S, tasks: T } = sizes;
  const tasks = Array.from({ length: T }, (_, m) => m);
  const scenarioDims = [sizes.inputDim, ...head.scenarioLayers];
  const taskDims = [scenarioDims.at(-1)!, ...head.taskLayers, 1];
  const scenarioNames = head.scenarioLayers.map((_, j) => `scenario.${j}`);
  const taskNames = taskDims.slice(1).map((_, j) => `task.${j}`);
  const rectified = [...scenarioNames, ...taskNames.slice(0, -1)]; // the last task layer is linear
  const widthOf = (name: string): number =>
    name.startsWith("scenario")
      ? scenarioDims[scenarioNames.indexOf(name) + 1]!
      : taskDims[taskNames.indexOf(name) + 1]!;

  /** φ = Dropout(ReLU([BN](a))); batch norm in the full path only, where its statistics are of one distribution. */
  const phi = (p: Params, name: string, a: Tensor2D, mode: ForwardMode): Tensor2D => {
    const h = tf.relu(head.batchNorm ? batchNorm(p, `${name}.norm`, a, mode) : a);
    return head.dropout > 0 ? mode.dropout(name, h) : h;
  };

  /** Scenario layer: s = u·K + b and p = (u·A_k)·B_k + c_k, k the row's scenario; both before any non-linearity. */
  const scenarioLayer = (p: Params, name: string, u: Tensor2D, oneHot: Tensor2D): { s: Tensor2D; k: Tensor2D } => {
    const s = dense(p, `${name}.shared`, u); // [batch, H']
    const a = p[`${name}.loraA`] as Tensor3D; // [S, H, r]
    const [, H, r] = a.shape;
    const sideBySide = tf.reshape(tf.transpose(a, [1, 0, 2]), [H, S * r]) as Tensor2D; // [A_1 | ... | A_S]
    const own = tf.reshape(tf.tile(tf.expandDims(oneHot, 2), [1, 1, r]), [-1, S * r]); // 1 in the row's own r columns
    const uA = tf.mul<Tensor2D>(tf.matMul(u, sideBySide), own); // [batch, S·r], u·A_k, other scenarios' columns 0
    const B = tf.reshape(p[`${name}.loraB`]!, [S * r, s.shape[1]]) as Tensor2D; // [S·r, H']
    const Bc = tf.concat2d([B, matrix(p, `${name}.loraBias`)], 0); // [S·r + S, H']
    const k = tf.matMul<Tensor2D>(tf.concat2d([uA, oneHot], 1), Bc); // (u·A_k)·B_k + c_k [batch, H']
    return { s, k };
  };

  /** φ with the running statistics, in training too: where own maps are left out there are no statistics of their own. */
  const phiAside = (p: Params, name: string, a: Tensor2D, mode: ForwardMode): Tensor2D =>
    phi(p, name, a, { ...mode, training: false });

  /** Low-rank maps of all tasks as matrices: V_m = A_m·B_m [H, H'], with c_m. */
  const taskMaps = (p: Params, name: string): { kernels: Tensor2D[]; biases: Tensor2D[] } => {
    // The gradients of split and unstack fail where there is one part.
    const unstack = (suffix: string): Tensor2D[] => {
      const all = p[`${name}.${suffix}`]!; // [T, ...]
      return (T === 1 ? [tf.squeeze(all, [0])] : tf.unstack(all)) as Tensor2D[];
    };
    const bias = matrix(p, `${name}.loraBias`); // [T, H']
    const B = unstack("loraB");
    const kernels = unstack("loraA").map((A, m) => tf.matMul<Tensor2D>(A, B[m]!)); // T × [H, H']
    return { kernels, biases: T === 1 ? [bias] : tf.split(bias, T, 0) }; // T × [1, H']
  };

  /** The shared map and all tasks' maps of a layer on one input, in one product: [u·K + b, u·V_1 + c_1, ...]. */
  const allTaskMaps = (p: Params, name: string): ((u: Tensor2D) => { shared: Tensor2D; own: Tensor2D[] }) => {
    const { kernels, biases } = taskMaps(p, name);
    const kernel = tf.concat2d([matrix(p, `${name}.shared.kernel`), ...kernels], 1); // [H, (1+T)·H']
    const bias = tf.concat2d([tf.expandDims(p[`${name}.shared.bias`]!, 0), ...biases], 1); // [1, (1+T)·H']
    return (u) => {
      const [shared, ...own] = tf.split(tf.add(tf.matMul(u, kernel), bias), 1 + T, 1) as Tensor2D[];
      return { shared: shared!, own };
    };
  };

  return {
    params: Object.assign(
      {},
      ...scenarioNames.map((name, j) => loraLayer(name, scenarioDims[j]!, scenarioDims[j + 1]!, S, head.rank)),
      ...taskNames.map((name, j) => loraLayer(name, taskDims[j]!, taskDims[j + 1]!, T, head.rank)),
      ...(head.batchNorm ? rectified.map((name) => batchNormParams(`${name}.norm`, widthOf(name))) : []),
    ) as ParamSpecs,
    buffers: Object.assign(
      {},
      ...(head.batchNorm ? rectified.map((name) => batchNormBuffers(`${name}.norm`, widthOf(name))) : []),
    ) as BufferSpecs,
    dropout: Object.fromEntries(
      head.dropout > 0 ? rectified.map((name) => [name, { width: widthOf(name), rate: head.dropout }]) : [],
    ),

    forward(p, representations, oneHot, mode) {
      return head.gates === "CELL"
        ? effects(p, representations, oneHot, mode)
        : paperFlows(p, representations, oneHot, mode);
    },

    common(p) {
      const ofLayer = (name: string): Tensor => {
        const A = p[`${name}.loraA`] as Tensor3D; // [n, H, r]
        const [n, H, r] = A.shape;
        const B = tf.reshape(p[`${name}.loraB`]!, [n * r, -1]) as Tensor2D; // [n·r, H']
        const sideBySide = tf.reshape(tf.transpose(A, [1, 0, 2]), [H, n * r]) as Tensor2D;
        const mean = tf.mul(tf.matMul(sideBySide, B), 1 / n); // [H, H']
        const bias = tf.mean(p[`${name}.loraBias`]!, 0); // [H']
        return tf.add(tf.sum(tf.square(mean)), tf.sum(tf.square(bias)));
      };
      // A single scenario or task has nothing to deviate from.
      const layers = [...(S > 1 ? scenarioNames : []), ...(T > 1 ? taskNames : [])];
      return layers.length === 0 ? tf.scalar(0) : tf.addN(layers.map(ofLayer));
    },
  };

  /** The flows of the paper (spec §1): linear maps of the raw s and p; y_full is not their sum. */
  function paperFlows(...[p, representations, oneHot, mode]: Forward): PartialLogits {
    const firstTaskLayer = allTaskMaps(p, taskNames[0]!);
    const streams = representations.map((representation) => {
      let u = representation;
      let layer = scenarioLayer(p, scenarioNames[0]!, u, oneHot);
      for (const [j, name] of scenarioNames.entries()) {
        if (j > 0) layer = scenarioLayer(p, name, u, oneHot);
        u = phi(p, name, tf.add(layer.s, layer.k), mode); // z = φ(s + p) [batch, H']
      }
      // Flows start from the raw s and p of the last scenario layer, neither rectified nor normalised.
      return { z: firstTaskLayer(u), s: firstTaskLayer(layer.s), k: firstTaskLayer(layer.k) };
    });

    const full: Tensor2D[] = [];
    const flows: Tensor2D[] = [];
    for (let m = 0; m < T; m++) {
      const { z, s, k } = streams[streams.length > 1 ? m : 0]!;
      let y = tf.add<Tensor2D>(z.shared, z.own[m]!); // z·v + c + z·v_m + c_m
      let f = [s.shared, k.own[m]!, s.own[m]!, k.shared]; // sh→sh, k→m, sh→m, k→sh
      for (const [j, name] of taskNames.entries()) {
        if (j === 0) continue;
        const { kernels, biases } = taskMaps(p, name);
        const shared = (u: Tensor2D): Tensor2D => dense(p, `${name}.shared`, u);
        const own = (u: Tensor2D): Tensor2D => tf.add(tf.matMul(u, kernels[m]!), biases[m]!);
        const u = phi(p, taskNames[j - 1]!, y, mode);
        y = tf.add<Tensor2D>(shared(u), own(u));
        const [f0, f1, f2, f3] = f.map((a) => tf.relu(a)) as [Tensor2D, Tensor2D, Tensor2D, Tensor2D];
        f = [shared(f0), own(f1), own(f2), shared(f3)];
      }
      full.push(y);
      flows.push(...f);
    }
    return { full: tf.concat2d(full, 1), flows: tf.concat2d(flows, 1) }; // [batch, T], [batch, 4T]
  }

  /**
   * With y(a, b) the logit with the scenarios' own maps (a) and the tasks' (b) in or out: sh→sh = y(0,0),
   * k→sh = y(1,0) − y(0,0), sh→m = y(0,1) − y(0,0), k→m = y(1,1) − y(1,0) − y(0,1) + y(0,0); their sum is y(1,1).
   */
  function effects(...[p, representations, oneHot, mode]: Forward): PartialLogits {
    const firstTaskLayer = allTaskMaps(p, taskNames[0]!);
    const streams = representations.map((representation) => {
      let [u, aside] = [representation, representation]; // with the scenarios' own maps, and without
      for (const name of scenarioNames) {
        const { s, k } = scenarioLayer(p, name, u, oneHot);
        aside = phiAside(p, name, aside === u ? s : dense(p, `${name}.shared`, aside), mode); // φ(s) [batch, H']
        u = phi(p, name, tf.add(s, k), mode); // φ(s + p) [batch, H']
      }
      return { in: firstTaskLayer(u), out: firstTaskLayer(aside) };
    });

    const ys = tasks.map((m) => {
      const stream = streams[streams.length > 1 ? m : 0]!;
      const withOwn = (a: "in" | "out"): Tensor2D => tf.add(stream[a].shared, stream[a].own[m]!);
      let y = { 11: withOwn("in"), "01": withOwn("out"), 10: stream.in.shared, "00": stream.out.shared };
      for (const [j, name] of taskNames.entries()) {
        if (j === 0) continue;
        const { kernels, biases } = taskMaps(p, name);
        const shared = (u: Tensor2D): Tensor2D => dense(p, `${name}.shared`, u);
        const all = (u: Tensor2D): Tensor2D => tf.add(shared(u), tf.add(tf.matMul(u, kernels[m]!), biases[m]!));
        const before = taskNames[j - 1]!;
        y = {
          11: all(phi(p, before, y[11], mode)),
          "01": all(phiAside(p, before, y["01"], mode)),
          10: shared(phiAside(p, before, y[10], mode)),
          "00": shared(phiAside(p, before, y["00"], mode)),
        };
      }
      return y;
    });
    const flows = ys.flatMap((y) => [
      y["00"],
      tf.add<Tensor2D>(tf.sub(y[11], y[10]), tf.sub(y["00"], y["01"])),
      tf.sub<Tensor2D>(y["01"], y["00"]),
      tf.sub<Tensor2D>(y[10], y["00"]),
    ]);
    return {
      full: tf.concat2d(
        ys.map((y) => y[11]),
        1,
      ),
      flows: tf.concat2d(flows, 1),
    }; // [batch, T], [batch, 4T]
  }
}

type Forward = Parameters<AutoIfsLayers["forward"]>;

/** A shared map [in, out] and `count` low-rank maps A [count, in, r], B [count, r, out], bias [count, out] (spec §4). */
function loraLayer(name: string, inDim: number, outDim: number, count: number, rank: number): ParamSpecs {
  return {
    ...denseParams(`${name}.shared`, inDim, outDim, { kernel: glorotNormal(inDim, outDim) }),
    // Glorot over the whole stack, as the official initialiser counts the fans of a 3-D tensor.
    [`${name}.loraA`]: param([count, inDim, rank], { kind: "normal", std: Math.sqrt(2 / (rank * (inDim + count))) }),
    [`${name}.loraB`]: param([count, rank, outDim], zeros),
    [`${name}.loraBias`]: param([count, outDim], zeros),
  };
}
