/** What the Open Inference Protocol says of a model, and of rows that it has answered. */
import type { Context } from "../context.ts";
import { InvalidInputError } from "../errors.ts";
import { reservedNames } from "./inferenceRequest.ts";
import type { InferenceRequest, ModelInterface } from "./inferenceRequest.ts";

type Prediction = Awaited<ReturnType<Context["services"]["predict"]>>;

interface TensorMetadata {
  readonly name: string;
  readonly datatype: "BYTES" | "FP64" | "FP32";
  readonly shape: readonly number[];
  readonly parameters?: { readonly optional: boolean };
}

/** Rows: as many as the request has. */
const shape = [-1];

/** What each kind of field is best sent as; a list is the text that would stand in a file. */
const datatypes: { readonly [Kind in ModelInterface["fields"][number]["kind"]]: TensorMetadata["datatype"] } = {
  CATEGORICAL: "BYTES",
  NUMERIC: "FP64",
  MULTI_VALUED: "BYTES",
  SEQUENCE: "BYTES",
  VECTOR: "FP32",
};

/** Inputs and outputs. With `optional` come those that may be left out. */
export function tensorsOf(model: ModelInterface): Record<"inputs" | "outputs", readonly TensorMetadata[]> {
  const names = reservedNames(model);
  const optional = { optional: true };
  return {
    inputs: [
      ...model.fields.map(({ column, kind, width, mayBeLeftOut }): TensorMetadata => {
        const form = kind === "VECTOR" ? { shape: [-1, width] } : { shape };
        return { name: column, datatype: datatypes[kind], ...form, ...(mayBeLeftOut ? { parameters: optional } : {}) };
      }),
      {
        name: names.scenario,
        datatype: "BYTES",
        shape,
        ...(model.scenarios.length === 1 ? { parameters: optional } : {}),
      },
      { name: names.id, datatype: "BYTES", shape, parameters: optional },
    ],
    outputs: model.tasks.map((name) => ({ name, datatype: "FP32", shape })),
  };
}

/** Throws InvalidInputError for one that the model does not have. */
export function assertOutputs({ outputs }: InferenceRequest, tasks: readonly string[]): void {
  const place = outputs?.findIndex((name) => !tasks.includes(name)) ?? -1;
  if (place < 0) return;
  const field = `outputs[${place}].name`;
  const [expected, received] = [`one of ${tasks.join(", ")}`, JSON.stringify(outputs![place])];
  throw new InvalidInputError(`${field}: expected ${expected}, got ${received}`, { field, expected, received });
}

/** One tensor of probabilities per task. With the number of rows by column that have a value training did not keep. */
export function answerOf(name: string, { id, outputs }: InferenceRequest, prediction: Prediction): object {
  const { modelVersion, taskKeys, rows, unknownValues } = prediction;
  const unknown = unknownValues.map(({ column, rows: count }) => [`unknown:${column}`, count]);
  return {
    model_name: name,
    model_version: String(modelVersion!.number),
    ...(id === undefined ? {} : { id }),
    ...(unknown.length === 0 ? {} : { parameters: Object.fromEntries(unknown) }),
    outputs: (outputs ?? taskKeys).map((task) => {
      const place = taskKeys.indexOf(task);
      const data = rows.map(({ tasks }) => tasks[place]!.probability);
      return { name: task, datatype: "FP32", shape: [rows.length], data };
    }),
  };
}
