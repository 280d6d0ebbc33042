// Asks a model exported as ONNX with onnxruntime alone: predict("home.onnx", [{ scenario: "home", values: { user: "u1" } }])
import { readFile } from "node:fs/promises";
import ort from "onnxruntime-node";

/** One object per row: the probability by task. */
export async function predict(file, rows) {
  const bytes = await readFile(file);
  const { fields, scenario, tasks, inputs } = vocabularyOf(bytes);
  const place = (row) => scenario.values.findIndex(({ key }) => key === row.scenario);
  const idOf = (field, row) => {
    const value = field.column === scenario.column ? scenario.values[place(row)].value : row.values[field.column];
    const known = field.values.indexOf(keyOf(field, value));
    return known < 0 ? field.unknownId : field.firstId + known;
  };
  const tensor = (numbers, shape) => new ort.Tensor("int32", Int32Array.from(numbers), shape);
  const feeds = {
    ids: tensor(
      rows.flatMap((row) => fields.map((field) => idOf(field, row))),
      [rows.length, fields.length],
    ),
  };
  if (inputs.scenario) feeds.scenario = tensor(rows.map(place), [rows.length]);
  const { data } = (await (await ort.InferenceSession.create(bytes)).run(feeds)).probabilities;
  return rows.map((_, r) => Object.fromEntries(tasks.map((task, m) => [task, data[r * tasks.length + m]])));
}

/** The text under which the vocabulary has a value. */
function keyOf({ kind, bucketing }, value) {
  if (value === null || value === "") return "";
  if (kind === "CATEGORICAL") return String(value);
  const x = Number(value);
  if (bucketing.kind === "BOUNDARIES") return String(bucketing.boundaries.filter((boundary) => boundary <= x).length);
  return String(x > 2 ? Math.floor(Math.log(x) ** 2) : Math.max(Math.trunc(x), -(2 ** 31)) + 0);
}

/** onnxruntime for JavaScript does not show the metadata: it is the entries 14 of the file, a protobuf message. */
export function vocabularyOf(bytes) {
  for (const [entry, metadata] of entriesOf(bytes)) {
    const [key, value] = entry === 14 ? [...entriesOf(metadata)].map(([, text]) => new TextDecoder().decode(text)) : [];
    if (key === "autoifs") return JSON.parse(value);
  }
}

function* entriesOf(bytes) {
  let at = 0;
  const number = () => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      value += (bytes[at] & 127) * scale;
      if (bytes[at++] < 128) return value;
    }
  };
  while (at < bytes.length) {
    const [tag, length] = [number(), number()];
    if ((tag & 7) === 2) yield [tag >>> 3, bytes.subarray(at, (at += length))];
  }
}
