/** The conformance kit for the authors of plugins: `#plugin/testing`. */
export { type Configuration, contract, type Subject } from "./contract.ts";
export { describeBackbone } from "./describeBackbone.ts";
export { expectClose, type Tolerance } from "./expectClose.ts";
export { expectGolden, type Golden, goldenParams, layerName, readGolden } from "./goldenVectors.ts";
export * from "./trial.ts";
