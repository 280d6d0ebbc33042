/** `autoifs train`. */
import type { TrainModelInput } from "../../client/index.ts";
import type { Command } from "../command.ts";
import { given, oneOf, waitOption, wholeNumber } from "../command.ts";
import { parsedObject, readJsonObject } from "../jsonFiles.ts";
import { shownRun } from "../shownRun.ts";
import { waitForRun } from "../waitForRun.ts";

export const trainCommand: Command = {
  name: "train",
  takes: ["<dataset>"],
  summary: "Queue the training of a model",
  details: "Ctrl-C while it waits leaves the run alive.",
  options: {
    backbone: { value: "<plugin>", text: "Name of a plugin; required unless --input has one." },
    config: { value: "<json>", text: "Configuration of the backbone; default: the plugin's." },
    head: { value: "<kind>", text: "AUTOIFS or TOWERS; default AUTOIFS." },
    preset: { value: "<preset>", text: "RECOMMENDED or REFERENCE; default RECOMMENDED." },
    seed: { value: "<n>", text: "Of all randomness; default 1." },
    epochs: { value: "<n>", text: "End with the best checkpoint after so many passes; default: no limit." },
    seconds: { value: "<n>", text: "End with the best checkpoint after so long; default: no limit." },
    input: {
      value: "<file>",
      text: "JSON with further members of TrainModelInput (docs/api.md); options replace them.",
    },
    ...waitOption,
  },
  example: "train ds_0123456789abcdef --backbone ple --seed 2 --wait",
  async run(call) {
    const { args, options, client } = call;
    const { input: path, backbone: plugin, config } = options;
    const kind = oneOf(call, "head", ["AUTOIFS", "TOWERS"]);
    const budget = given({ epochs: wholeNumber(call, "epochs"), seconds: wholeNumber(call, "seconds") });
    const chosen = given({
      preset: oneOf(call, "preset", ["RECOMMENDED", "REFERENCE"]),
      seed: wholeNumber(call, "seed"),
      head: kind && { kind },
      backbone:
        plugin === undefined ? undefined : given({ plugin, config: config && parsedObject(config, "--config") }),
      budget: Object.keys(budget).length > 0 ? budget : undefined,
    });
    const file = path === undefined ? {} : await readJsonObject(path);
    // What is missing or wrong is said by the server.
    const input = { ...file, ...chosen, dataset: args["dataset"]! } as unknown as TrainModelInput;
    const { run } = await client().trainModel({ input });
    if (call.switches.has("wait")) return shownRun(await waitForRun(call, run.id));
    return { json: run, text: `${run.id} is ${run.state}. Follow it: autoifs run ${run.id} --wait\n` };
  },
};
