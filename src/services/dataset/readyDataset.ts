/** Datasets that can be trained on. */
import { ConflictError } from "../../errors.ts";
import { assertNotDeleted } from "../../store/notDeleted.ts";
import type { Dataset } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import { withField } from "../withField.ts";

/** Throws NotFoundError, or ConflictError where the dataset is not READY or deleted. `field` is where the request has its id. */
export async function readyDataset(
  { store }: Pick<Installation, "store">,
  id: string,
  field: string,
): Promise<Dataset> {
  const dataset = await withField({ id: field }, () => store.datasets.get(id));
  assertNotDeleted(dataset, "dataset", field);
  const { status } = dataset;
  if (status === "READY") return dataset;
  throw new ConflictError(`${field}: expected a dataset in status READY, but ${id} is ${status}`, {
    field,
    expected: "a dataset in status READY",
    received: status,
    ...(status === "IMPORTING" ? { hint: "wait until its import has ended" } : {}),
  });
}
