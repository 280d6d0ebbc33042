/** Has a second version of a model answer a share of the requests of an alias as well, or no longer. */
import { z } from "zod";
import type { Model, ModelTraffic } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import { aliasName } from "./aliasName.ts";
import { parseInput, refusal, shown, withoutNulls } from "../parseInput.ts";
import { withField } from "../withField.ts";

const wholeNumber = z.int().min(0).max(2147483647);

const addressInput = z.strictObject({ model: z.string(), alias: aliasName, expectedVersion: wholeNumber.optional() });

const trafficInput = addressInput.extend({
  other: z.union(
    [
      z
        .string()
        .regex(/^\d{1,9}$/)
        .transform(Number),
      aliasName,
    ],
    {
      error: "an alias of the model, or the number of a version",
    },
  ),
  kind: z.enum(["SHADOW", "CANARY"]),
  share: z.number().min(0).max(1),
});

const paths = Object.fromEntries(
  ["model", "alias", "other", "expectedVersion"].map((field) => [field, `input.${field}`]),
);

/** Throws InvalidInputError, NotFoundError, or ConflictError. */
export async function setModelTraffic(
  { store }: Pick<Installation, "store">,
  input: unknown,
): Promise<{ readonly model: Model; readonly traffic: ModelTraffic }> {
  const traffic = parseInput(trafficInput, withoutNulls(input), "input");
  if (traffic.other === traffic.alias) throw refusal("input.other", "another alias", shown(traffic.other));
  return withField(paths, () => store.modelTraffic.set(traffic));
}

/** With the differences that were recorded. Throws NotFoundError where there is none, or ConflictError. */
export async function removeModelTraffic({ store }: Pick<Installation, "store">, input: unknown): Promise<Model> {
  const address = parseInput(addressInput, withoutNulls(input), "input");
  return withField(paths, () => store.modelTraffic.remove(address));
}
