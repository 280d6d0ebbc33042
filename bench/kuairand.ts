/** `npm run bench -- kuairand`: the demo's AutoIFS on the bundled real data, over several seeds. */
import { fileURLToPath } from "node:url";
import { autoIfs, datasetSpec, file } from "../examples/kuairand.ts";
import { mean, type Options } from "./options.ts";
import { imported, searchAndPrune } from "./searchAndPrune.ts";

export const summary = "mean test AUC of the demo's AutoIFS on real traffic (--seeds, --data <csv.gz>)";

export async function run(options: Options): Promise<Record<string, unknown>> {
  const seeds = options.numbers("seeds", [1, 2, 3]);
  const data = options.text("data", fileURLToPath(file));
  const aucBySeed = await searchAndPrune("AutoIFS", await imported(data, datasetSpec), autoIfs, seeds);
  return { meanAuc: mean(aucBySeed), aucBySeed };
}
