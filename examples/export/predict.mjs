// Asks a model exported as ONNX with onnxruntime alone: predict("home.onnx", [{ scenario: "home", values: { user: "u1" } }])
import { readFile } from "node:fs/promises";
import ort from "onnxruntime-node";

/** One object per row: the probability by task. */
export async function predict(file, rows) {
  const bytes = await readFile(file);
  const { fields, scenario, tasks, inputs } = vocabularyOf(bytes);
  const place = (row) => scenario.values.findIndex(({ key }) => key === row.scenario);
  const valueOf = (field, row) =>
    field.column === scenario.column ? scenario.values[place(row)].value : row.values[field.column];
  const parts = rows.map((row) => fields.map((field) => encoded(field, valueOf(field, row), fields)));
  const tensor = (type, values, ...width) =>
    new ort.Tensor(type, (type === "int32" ? Int32Array : Float32Array).from(values), [rows.length, ...width]);
  const matrix = (type, of) => {
    const values = parts.flat().flatMap(of);
    return tensor(type, values, values.length / rows.length);
  };
  const feeds = { ids: matrix("int32", ({ ids }) => ids) };
  if (inputs.numbers) feeds.numbers = matrix("float32", ({ numbers }) => numbers);
  if (inputs.scenario) feeds.scenario = tensor("int32", rows.map(place));
  const { data } = (await (await ort.InferenceSession.create(bytes)).run(feeds)).probabilities;
  return rows.map((_, r) => Object.fromEntries(tasks.map((task, m) => [task, data[r * tasks.length + m]])));
}

/** The ids and numbers of a value. */
function encoded(field, value, fields) {
  const { kind, firstId, unknownId, paddingId, target, separator, width, maximumLength } = field;
  const isMissing = value === null || value === "";
  const idOf = (key) => {
    const known = (target ? fields.find(({ column }) => column === target) : field).values.indexOf(key);
    return known < 0 ? unknownId : firstId + known;
  };
  if (kind === "VALUE") {
    if (isMissing) return { ids: [firstId + 1], numbers: [1] };
    const y = field.scale === "LOG" ? Math.sign(value) * Math.log1p(Math.abs(value)) : Number(value);
    return { ids: [firstId], numbers: [Math.max(-8, Math.min(8, (y - field.mean) / field.std))] };
  }
  const isText = typeof value === "string";
  if (kind === "VECTOR") {
    const list = isText && value.startsWith("[") ? JSON.parse(value) : isText ? value.split(separator) : value;
    return { ids: [], numbers: isMissing ? Array(width).fill(0) : list.map(Number) };
  }
  if (kind === "MULTI_VALUED" || kind === "SEQUENCE") {
    const keys = isMissing ? [] : (isText ? value.split(separator) : value).map(String).filter((key) => key !== "");
    const counted = kind === "SEQUENCE" ? keys.slice(-maximumLength) : [...new Set(keys)].slice(0, maximumLength);
    const padding = Array(maximumLength - counted.length).fill(paddingId);
    return { ids: [...counted.map(idOf), ...padding], numbers: [] };
  }
  return { ids: [idOf(keyOf(field, value))], numbers: [] };
}

/** The text under which the vocabulary has a single value. */
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
