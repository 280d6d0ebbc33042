import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPlugins, type PluginFailure } from "../../../src/plugin/registry.ts";
import { provenPlugins, type ProvenPlugins } from "../../../src/services/plugins/provenPlugins.ts";
import { writePlugins } from "./madePlugins.ts";

let made: Awaited<ReturnType<typeof writePlugins>>;
let result: ProvenPlugins;

beforeAll(async () => {
  made = await writePlugins({
    "a-sound-one": {},
    "gives-a-promise": { gives: 'Promise.resolve(dense(p, "layer", features))' },
    "gives-a-wrong-shape": { gives: "features" },
    "gives-nothing": { gives: "undefined" },
    "hangs-in-forward": { atForward: "for (;;);" },
    "is-a-sound-one": {},
    "is-no-javascript": { atImport: "const = 3;" },
    "leaves-a-promise": { atImport: 'Promise.reject(new Error("left"));' },
    "leaves-a-timer": { atImport: 'setTimeout(() => { throw new Error("late"); }, 1);' },
    "sound-too": {},
    "throws-at-import": { atImport: 'throw new Error("boom");' },
    "throws-in-build": { atBuild: "config.nothing.at(0);" },
    "throws-in-forward": { atForward: 'tf.matMul(features, p["layer.bias"]);' },
    "waits-for-ever": { atImport: "await new Promise(() => undefined);" },
  });
  const { sources } = await findPlugins(made.folder, []);
  result = await provenPlugins(sources, 1);
});
afterAll(() => made.remove());

const failure = (name: string): string | undefined =>
  result.failures.find(({ from }: PluginFailure) => from === name)?.error.message;

describe("the trial of plugins", () => {
  it("lets those pass with which nothing is wrong, whatever the others do", () => {
    expect(result.proven.map(({ from }) => from)).toEqual(["a-sound-one", "is-a-sound-one", "sound-too"]);
    expect(result.failures.map(({ error }) => error.code)).toEqual(Array.from({ length: 11 }, () => "PLUGIN_FAILED"));
  });

  it("says where a plugin throws: by its name, and with the file and line", () => {
    expect(failure("throws-at-import")).toBe("plugin throws-at-import: import: boom (throws-at-import/index.js:4)");
    expect(failure("throws-in-build")).toBe(
      "plugin throws-in-build: build: Cannot read properties of undefined (reading 'at') (throws-in-build/index.js:10)",
    );
    expect(failure("throws-in-forward")).toMatch(
      /^plugin throws-in-forward: forward: .*matMul.* \(throws-in-forward\/index\.js:13\)$/s,
    );
  });

  it("says where a plugin is no JavaScript", () => {
    expect(failure("is-no-javascript")).toBe(
      "plugin is-no-javascript: import: Unexpected token '=' (is-no-javascript/index.js:4)",
    );
  });

  it("says what came instead of a representation, and where forward is", () => {
    expect(failure("gives-a-wrong-shape")).toBe(
      "plugin gives-a-wrong-shape: forward: expected representations [batch, 4], got [batch, 8] (gives-a-wrong-shape/index.js:12)",
    );
    expect(failure("gives-nothing")).toBe(
      "plugin gives-nothing: forward: expected representations, got undefined (gives-nothing/index.js:12)",
    );
    expect(failure("gives-a-promise")).toContain(
      "plugin gives-a-promise: forward: expected representations, got a promise",
    );
  });

  it("blames one for what it leaves behind, not the next one", () => {
    const ended = (name: string): string => `plugin ${name}: ended the thread it was tried in`;
    expect(failure("leaves-a-promise")).toBe(`${ended("leaves-a-promise")}: left`);
    expect(failure("leaves-a-timer")).toBe(`${ended("leaves-a-timer")}: late`);
  });

  it("ends one that loops, and one that waits for ever", () => {
    expect(failure("hangs-in-forward")).toBe("plugin hangs-in-forward: forward did not end within 1 s");
    expect(failure("waits-for-ever")).toBe("plugin waits-for-ever: import did not end within 1 s");
  });
});
