/** An exported model as the bytes of its file, and run from them. It loads the libraries: import it where one is written. */
import { graphModel, weightsFile } from "../../engine/graphModel.ts";
import { openGraphModel, openOnnx } from "../../engine/modelFile.ts";
import type { ModelFile } from "../../engine/modelFile.ts";
import { onnxModel } from "../../engine/onnxModel.ts";
import type { ExportedFunction } from "../../serving/exportedFunction.ts";
import type { ModelExportFormat } from "../../store/rows.ts";
import { tarFile } from "./tarFile.ts";

export interface AboutExport {
  /** One word. */
  readonly name: string;
  /** For people. */
  readonly description: string;
  /** JSON */
  readonly vocabulary: string;
}

export interface WrittenModel {
  readonly bytes: Uint8Array;
  /** Opens what was written, with nothing of this product. */
  open(): Promise<ModelFile>;
}

/** Throws ConflictError where the format has no such operator. */
export const writers: {
  readonly [Format in ModelExportFormat]: (model: ExportedFunction, about: AboutExport) => WrittenModel;
} = {
  ONNX({ fn, inputs, constants }, { name, description, vocabulary }) {
    const bytes = onnxModel(fn, inputs, { constants, name, description, metadata: { autoifs: vocabulary } });
    return { bytes, open: () => openOnnx(bytes, inputs) };
  },
  TFJS({ fn, inputs, constants }, { name, description, vocabulary }) {
    const files = graphModel(fn, inputs, { constants, producer: "autoifs" });
    const entries = Object.entries({
      "README.md": Buffer.from(readme(name, description)),
      "model.json": Buffer.from(files.json),
      [weightsFile]: files.weights,
      "vocabulary.json": Buffer.from(vocabulary),
    });
    const bytes = tarFile(entries.map(([file, content]) => ({ name: `${name}/${file}`, content })));
    return { bytes, open: () => openGraphModel(files, inputs) };
  },
};

function readme(name: string, description: string): string {
  return [
    `# ${name}`,
    "",
    description,
    "",
    "`model.json` and the `.bin` file are a TensorFlow.js graph model:",
    "",
    "```js",
    'const model = await tf.loadGraphModel("model.json"); // its URL',
    'const ids = tf.tensor2d([[0, 7, 12]], [1, 3], "int32"); // one id per field, of several values more',
    "// where the model has an input `numbers`: tf.tensor2d([[0.5]], [1, 1])",
    'const scenario = tf.tensor1d([0], "int32"); // left out in a model of one scenario',
    "const probabilities = model.predict({ ids, scenario }); // [rows, tasks]",
    "```",
    "",
    "`vocabulary.json` says which ids and numbers the values of a row have (`encoding`), and the order of scenarios and tasks.",
    "",
  ].join("\n");
}
