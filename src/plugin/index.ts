/** The one door of a plugin: everything a backbone may import from this project. */
export { definePlugin } from "./contract.ts";
export type * from "./contract.ts";
export * from "./layers.ts";
