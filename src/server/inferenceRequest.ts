/** Reads requests of the Open Inference Protocol: tensors, one per column of the model, become rows of raw values. */
import type { Context } from "../context.ts";
import { InvalidInputError } from "../errors.ts";

export type ModelInterface = Awaited<ReturnType<Context["services"]["modelInterfaces"]["of"]>>;

export interface InferenceRequest {
  /** To be said again in the answer. */
  readonly id: string | undefined;
  /** By name, all with the same number of rows. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly rows: number;
  /** Names of the outputs that are wanted; undefined: all. */
  readonly outputs: readonly string[] | undefined;
}

export interface Tensor {
  readonly datatype: Datatype;
  /** Elements of a row: the second number of its shape, where it has one. */
  readonly width: number;
  /** [rows], each an element, or a list [width] where the width is not 1. */
  readonly data: readonly unknown[];
}

export interface InferenceRow {
  readonly id: string | null;
  readonly scenario: string;
  readonly values: unknown;
}

/** Besides the columns. Where a column has the name already, it has underscores before it. */
export interface ReservedNames {
  /** Input with the keys of the scenarios. */
  readonly scenario: string;
  /** Input with the sender's own names of the rows. */
  readonly id: string;
}

/** What an element may be, null, a missing value, apart. */
const datatypes = {
  BYTES: { expected: "a text", holds: (value: unknown) => typeof value === "string" },
  BOOL: { expected: "true or false", holds: (value: unknown) => typeof value === "boolean" },
  ...integers("INT", 8, 16, 32, 64),
  ...integers("UINT", 8, 16, 32, 64),
  ...Object.fromEntries(
    ["FP16", "FP32", "FP64"].map((name) => [name, { expected: "a finite number", holds: isFinite }]),
  ),
} as Readonly<Record<string, { readonly expected: string; holds(value: unknown): boolean }>>;
type Datatype = string;

/** Throws InvalidInputError that names the input and the element. What the values mean is the model's matter. */
export function readInference(body: unknown): InferenceRequest {
  if (!isObject(body)) throw wrong("body", "an object of JSON with `content-type: application/json`", body);
  assertNoBinary("parameters", body["parameters"]);
  const { id, inputs: given, outputs } = body;
  if (id !== undefined && typeof id !== "string") throw wrong("id", "a text", id);
  if (!Array.isArray(given) || given.length === 0) throw wrong("inputs", "a list of at least one input", given);
  const inputs = new Map<string, Tensor>();
  let rows: number | undefined;
  for (const [place, input] of given.entries()) {
    const { name, ...tensor } = readTensor(input, `inputs[${place}]`);
    if (inputs.has(name)) throw wrong(`inputs[${place}].name`, "every input once", name);
    rows ??= tensor.data.length;
    if (tensor.data.length !== rows) {
      throw wrong(`input ${JSON.stringify(name)}`, `${rows} rows as the inputs before it`, tensor.data.length);
    }
    inputs.set(name, tensor);
  }
  return { id, inputs, rows: rows!, outputs: outputs === undefined ? undefined : readOutputs(outputs) };
}

/** Throws InvalidInputError where an input that the model needs is missing or too wide. Inputs it does not know are passed over. */
export function rowsOf({ inputs, rows }: InferenceRequest, model: ModelInterface): InferenceRow[] {
  const names = reservedNames(model);
  const columns = model.fields.flatMap(({ column, kind, width, mayBeLeftOut }) => {
    const tensor = inputs.get(column);
    if (tensor) {
      const isVector = kind === "VECTOR" && tensor.datatype !== "BYTES";
      if (!isVector && kind !== "MULTI_VALUED" && kind !== "SEQUENCE") assertColumn(column, tensor);
      else if (isVector && tensor.width !== width) {
        throw wrong(`input ${JSON.stringify(column)}, shape`, `[rows, ${width}]`, [rows, tensor.width]);
      }
      return [{ column, data: tensor.data }];
    }
    if (mayBeLeftOut) return [];
    throw wrong(`input ${JSON.stringify(column)}`, "one of this name", undefined);
  });
  const scenarios = texts(inputs, names.scenario);
  const ids = texts(inputs, names.id);
  const only = model.scenarios.length === 1 ? model.scenarios[0] : undefined;
  if (!scenarios && only === undefined) {
    const expected = `keys of scenarios, ${model.scenarios.map((key) => JSON.stringify(key)).join(" or ")}`;
    throw wrong(`input ${JSON.stringify(names.scenario)}`, expected, undefined);
  }
  return Array.from({ length: rows }, (_, row) => ({
    id: (ids?.[row] ?? null) as string | null,
    // One that is missing is refused with all else that is no key.
    scenario: (scenarios ? scenarios[row] : only) as string,
    values: Object.fromEntries(columns.map(({ column, data }) => [column, data[row]])),
  }));
}

export function reservedNames({ fields }: ModelInterface): ReservedNames {
  const free = (name: string): string => (fields.some(({ column }) => column === name) ? free(`_${name}`) : name);
  return { scenario: free("scenario"), id: free("id") };
}

/** `path` is that of a value in a row, such as `rows[3].values.age`: what is wrong, as the sender of tensors knows it. */
export function inTensors(path: string, { scenario, id }: ReservedNames): string {
  const [, row, member, column] = /^rows\[(\d+)\]\.(?:(id|scenario)|values\.(.+))$/s.exec(path) ?? [];
  if (row === undefined) return path === "rows" ? "inputs" : path;
  const name = column ?? (member === "id" ? id : scenario);
  return `input ${JSON.stringify(name)}, element ${row}`;
}

function readTensor(input: unknown, path: string): Tensor & { readonly name: string } {
  if (!isObject(input)) throw wrong(path, "an object", input);
  const { name, datatype, shape, data, parameters } = input;
  if (typeof name !== "string") throw wrong(`${path}.name`, "a text", name);
  const called = `input ${JSON.stringify(name)}`;
  assertNoBinary(`${called}, parameters`, parameters);
  const kind = typeof datatype === "string" && Object.hasOwn(datatypes, datatype) ? datatypes[datatype] : undefined;
  if (!kind) throw wrong(`${called}, datatype`, `one of ${Object.keys(datatypes).join(", ")}`, datatype);
  if (!Array.isArray(data)) throw wrong(`${called}, data`, "a list", data);
  const isCount = (count: unknown): boolean => Number.isSafeInteger(count) && (count as number) >= 0;
  const isMatrix = Array.isArray(shape) && shape.length === 2 && isCount(shape[1]) && shape[1] > 0;
  if (!Array.isArray(shape) || !(shape.length === 1 || isMatrix) || !isCount(shape[0])) {
    throw wrong(`${called}, shape`, "[rows] or [rows, width]", shape);
  }
  const [rows, width]: readonly number[] = [shape[0], shape[1] ?? 1];
  const flat: readonly unknown[] = shape.length === 2 && Array.isArray(data[0]) ? data.flat() : data;
  if (flat.length !== rows! * width!) {
    throw wrong(`${called}, data`, `${rows! * width!} elements as its shape says`, flat.length);
  }
  for (let place = 0; place < flat.length; place++) {
    const value = flat[place];
    if (value !== null && !kind.holds(value)) throw wrong(`${called}, element ${place}`, kind.expected, value);
  }
  const asRows = (): unknown[] =>
    Array.from({ length: rows! }, (_, row) => flat.slice(row * width!, (row + 1) * width!));
  return { name, datatype: datatype as Datatype, width: width!, data: width === 1 ? flat : asRows() };
}

/** Of a column with one value a row. */
function assertColumn(name: string, { data, width }: Tensor): void {
  if (width !== 1) throw wrong(`input ${JSON.stringify(name)}, shape`, "[rows] or [rows, 1]", [data.length, width]);
}

function readOutputs(outputs: unknown): string[] {
  if (!Array.isArray(outputs)) throw wrong("outputs", "a list", outputs);
  return outputs.map((output: unknown, place) => {
    const path = `outputs[${place}]`;
    if (!isObject(output)) throw wrong(path, "an object", output);
    const { name, parameters } = output;
    if (typeof name !== "string") throw wrong(`${path}.name`, "a text", name);
    assertNoBinary(`${path}.parameters`, parameters);
    return name;
  });
}

/** The data of an input that is no column; undefined where it is not there. */
function texts(inputs: InferenceRequest["inputs"], name: string): readonly unknown[] | undefined {
  const tensor = inputs.get(name);
  if (tensor) assertColumn(name, tensor);
  if (!tensor || tensor.datatype === "BYTES") return tensor?.data;
  throw wrong(`input ${JSON.stringify(name)}, datatype`, "BYTES", tensor.datatype);
}

function assertNoBinary(path: string, parameters: unknown): void {
  if (parameters === undefined) return;
  if (!isObject(parameters)) throw wrong(path, "an object", parameters);
  const asks = ["binary_data_size", "binary_data", "binary_data_output"].find((name) => parameters[name]);
  if (asks !== undefined) throw wrong(path, "data as JSON, for the binary extension is not spoken here", asks);
}

function integers(prefix: "INT" | "UINT", ...widths: readonly number[]) {
  return Object.fromEntries(
    widths.map((bits) => {
      const most = Math.min(2 ** (prefix === "INT" ? bits - 1 : bits) - 1, Number.MAX_SAFE_INTEGER);
      const least = prefix === "UINT" ? 0 : Math.max(-most - 1, Number.MIN_SAFE_INTEGER);
      const holds = (value: unknown): boolean => Number.isInteger(value) && inside(value as number);
      const inside = (value: number): boolean => value >= least && value <= most;
      return [`${prefix}${bits}`, { expected: `an integer from ${least} to ${most}`, holds }];
    }),
  );
}

function isFinite(value: unknown): boolean {
  return Number.isFinite(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(path: string, expected: string, value: unknown): InvalidInputError {
  const received = shown(value);
  return new InvalidInputError(`${path}: expected ${expected}, got ${received}`, { field: path, expected, received });
}

/** Short, whatever it is: a request may hold lists inside each other that no stack is deep enough for. */
function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (isObject(value)) return "an object";
  if (Array.isArray(value)) {
    const isShort = value.length <= 10 && value.every((item) => typeof item === "number" || typeof item === "string");
    if (!isShort) return `a list of ${value.length}`;
  }
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
