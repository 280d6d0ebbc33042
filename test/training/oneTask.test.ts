import { expect, it } from "vitest";
import { newRecording, train } from "./tinyTraining.ts";

it("A search on one scenario and one task, the smallest model there is, trains", async () => {
  const record = newRecording();
  const { checkpoint } = await train({ kind: "SEARCH", cell: { scenario: "home", task: "click" }, record });
  expect(checkpoint.shape.tasks).toEqual(["click"]);
  expect(record.flows).toHaveLength(4);
});
