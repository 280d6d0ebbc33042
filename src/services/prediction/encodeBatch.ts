/** Turns the raw rows of several requests into one batch of ids and numbers, so that a bad row is the matter of its own request alone. */
import type { RowArrays } from "../../data/encodeValue.ts";
import type { Transform } from "../../data/transform.ts";
import { InvalidInputError } from "../../errors.ts";
import type { PredictionRows } from "../../serving/predictor.ts";
import { refusal, shown } from "../parseInput.ts";
import type { EncodedRequest, RawRequest, RowFault, SentError } from "./poolMessages.ts";
import { sentError } from "./sentErrors.ts";

export interface EncodedBatch extends PredictionRows {
  /** One per request. */
  readonly parts: readonly (EncodedRequest | { readonly error: SentError })[];
}

/** `scenarios`: keys of those that the model answers for, in its order. */
export function encodeBatch(
  transform: Transform,
  scenarios: readonly string[],
  requests: readonly RawRequest[],
): EncodedBatch {
  const most = requests.reduce((sum, { rows }) => sum + rows.length, 0);
  const into = { ids: new Int32Array(most * transform.ids), numbers: new Float32Array(most * transform.numbers) };
  const scenario = new Int32Array(most);
  let filled = 0;

  const encode = (request: RawRequest): EncodedRequest | { readonly error: SentError } => {
    const start = filled;
    const faults: RowFault[] = [];
    for (let row = 0; row < request.rows.length; row++) {
      try {
        scenario[filled] = encodeRow(transform, scenarios, request.rows[row]!, `rows[${row}]`, into, filled);
        filled++;
      } catch (error) {
        if (!(error instanceof InvalidInputError)) throw error;
        if (request.onRowError === "SKIP") faults.push({ row, ...sentError(error) });
        else {
          filled = start;
          return { error: sentError(error) };
        }
      }
    }
    return { start, rows: filled - start, faults, unknown: unknownIn(transform, into.ids, start, filled) };
  };

  const parts = requests.map(encode);
  return {
    rows: filled,
    ids: into.ids.subarray(0, filled * transform.ids),
    numbers: into.numbers.subarray(0, filled * transform.numbers),
    scenario: scenario.subarray(0, filled),
    parts,
  };
}

/** Gives the index of the row's scenario among those of the model. */
function encodeRow(
  transform: Transform,
  scenarios: readonly string[],
  { scenario, values }: RawRequest["rows"][number],
  path: string,
  into: RowArrays,
  place: number,
): number {
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    throw refusal(`${path}.values`, "an object of values by column", shown(values));
  }
  const index = scenarios.indexOf(scenario);
  // What no model of this dataset could know is told by the transform, which names all scenarios.
  if (index < 0 && scenarios.length === 1 && transform.shape.scenarios.length > 1) {
    throw refusal(`${path}.scenario`, `${shown(scenarios[0])}, the only one of this run`, shown(scenario));
  }
  transform.encodeRow({ scenario, values: values as Readonly<Record<string, unknown>> }, path, into, place);
  if (index >= 0) return index;
  throw refusal(`${path}.scenario`, `one of ${scenarios.map(shown).join(", ")}`, shown(scenario));
}

function unknownIn({ toJSON, unknownRows }: Transform, ids: Int32Array, start: number, end: number) {
  const { fields } = toJSON();
  return unknownRows(ids, start, end).flatMap((rows, place) =>
    rows > 0 ? [{ column: fields[place]!.column, rows }] : [],
  );
}
