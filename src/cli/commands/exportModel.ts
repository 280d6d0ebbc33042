/** `autoifs model export`. */
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import { ApiError } from "../../client/index.ts";
import type { ResultOf } from "../../client/index.ts";
import type { Call, Command } from "../command.ts";
import { given, Interrupted, oneOf } from "../command.ts";

type ModelExport = NonNullable<ResultOf<"modelExport">>;

/** Milliseconds between two looks at an export. */
const lookEvery = 300;

export const exportModelCommand: Command = {
  name: "model export",
  takes: ["<model>"],
  summary: "Write a model to a file for other programs, and fetch it",
  details:
    "The model is named as in `predict` (home_ranker@champion, home_ranker@3), or by the id of its run. The file is kept only where it answers test rows as the model does.",
  options: {
    format: { value: "<format>", text: "ONNX, or TFJS for a .tar of TensorFlow.js files; default ONNX." },
    scenario: { value: "<key>", text: "The only scenario it is to answer for; default: all." },
    quantised: { text: "Embedding tables of one byte per number." },
    out: { value: "<file>", text: "Where it goes; default: the id of the export with its ending." },
  },
  example: "model export home_ranker@champion --format ONNX --out home.onnx",
  async run(call) {
    const { client, args, options, switches } = call;
    const asked = args["model"]!;
    const { modelExport } = await client().exportModel({
      input: {
        ...(/^run_[0-9a-f]+$/.test(asked) ? { run: asked } : { model: asked }),
        format: oneOf(call, "format", ["ONNX", "TFJS"]) ?? "ONNX",
        quantised: switches.has("quantised"),
        ...given({ scenario: options["scenario"] }),
      },
    });
    const made = await ended(call, modelExport.id);
    if (made.error) return { json: made, text: `${made.error.code}: ${made.error.message}\n`, hasSucceeded: false };
    const file = options["out"] ?? `${made.id}.${made.format === "ONNX" ? "onnx" : "tar"}`;
    if (made.url === null) throw new ApiError(`${made.id}: expected its file, got none`, { code: "NOT_FOUND" });
    await pipeline(await client().download(made.url), createWriteStream(file));
    const text = `${file}: ${made.bytes} bytes; differs from the model by at most ${made.maxDifference} on ${made.checkedRows} rows\n`;
    return { json: { ...made, file }, text };
  },
};

/** Throws Interrupted at Ctrl-C. */
async function ended({ client, onInterrupt }: Call, id: string): Promise<ModelExport> {
  const interrupt = new AbortController();
  const stopListening = onInterrupt?.(() => interrupt.abort());
  try {
    for (;;) {
      const made = (await client().modelExport({ id }, { signal: interrupt.signal }))!;
      if (made.state === "SUCCEEDED" || made.state === "FAILED") return made;
      await pause(lookEvery, undefined, { signal: interrupt.signal });
    }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    throw new Interrupted(`${id} goes on; the query modelExport tells when its file is there`);
  } finally {
    stopListening?.();
  }
}
