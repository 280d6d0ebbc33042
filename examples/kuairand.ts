/**
 * What the bundled file holds, and the models that are compared on it: one description for the demo, which sends it
 * through GraphQL, and for the benchmark, which trains without a server.
 */
import type { DatasetSpec } from "../src/data/spec.ts";

export const file = new URL("kuairand-pure-small.csv.gz", import.meta.url);

export const scenarios = [
  { key: "tab_0", name: "Tab 0", value: "0" },
  { key: "tab_1", name: "Tab 1", value: "1" },
  { key: "tab_4", name: "Tab 4", value: "2" },
];

export const tasks = [
  { key: "click", name: "Click" },
  { key: "long_view", name: "Long view" },
];

// The numeric ones are bucketed in the file already. The scenario is an input too: the gates see it only there.
const columns = [
  "user_id video_id user_active_degree is_live_streamer is_video_author follow_user_num_range fans_user_num_range",
  "friend_user_num_range register_days_range onehot_feat0 onehot_feat1 onehot_feat2 onehot_feat6 onehot_feat10",
  "upload_type music_type video_duration show_cnt like_cnt scenario",
].flatMap((line) => line.split(" "));

export const datasetSpec: DatasetSpec = {
  fields: columns.map((column) => ({ column, kind: "CATEGORICAL", minimumCount: 1 })),
  scenario: { column: "scenario", values: scenarios.map(({ key, value }) => ({ value, scenario: key })) },
  labels: tasks.map(({ key }) => ({ column: key, task: key })),
  split: { kind: "COLUMN", column: "split", train: "train", validation: "valid", test: "test" },
};

/** 33,000 rows are few: small steps, and much against learning them by heart. */
const hyperParameters = {
  batchSize: 256,
  learningRate: 3e-4,
  l2: 1e-3,
  fieldDropout: 0.2,
  averagingDecay: 0.998,
  selectionTolerance: 0.003,
};

export const autoIfs = {
  backbone: { plugin: "shared-bottom", config: { layers: [128] } },
  head: { kind: "AUTOIFS", scenarioLayers: [64], gateLayers: [64, 32] },
  hyperParameters: { ...hyperParameters, search: { epochs: 4, gateRegulariser: 0.1 } },
} as const;

export const mmoe = {
  backbone: { plugin: "mmoe", config: { experts: 3, layers: [128] } },
  head: { kind: "TOWERS", layers: [64] },
  hyperParameters,
} as const;

export const ple = {
  backbone: { plugin: "ple", config: { levels: [[128]], specificExperts: 1, sharedExperts: 1 } },
  head: { kind: "TOWERS", layers: [64] },
  hyperParameters,
} as const;
