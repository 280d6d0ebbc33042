/** What a model takes and gives, for protocols that describe it before anybody asks it. */
import type { FieldSpec } from "../../data/spec.ts";
import { ConflictError } from "../../errors.ts";
import type { Run } from "../../store/rows.ts";
import type { Installation } from "../installation.ts";
import { cellOf, manifestOf, specOf } from "../stored.ts";

export interface ModelInterface {
  /** In the order of the dataset. */
  readonly fields: readonly FieldInterface[];
  /** Keys of those it answers for. */
  readonly scenarios: readonly string[];
  /** Keys of those it answers, in the order of its probabilities. */
  readonly tasks: readonly string[];
}

export interface FieldInterface {
  readonly column: string;
  readonly kind: FieldSpec["kind"];
  /** Of a VECTOR its numbers; 1 otherwise. */
  readonly width: number;
  /** True for the scenario column, which says nothing that the scenario does not. */
  readonly mayBeLeftOut: boolean;
}

export interface ModelDescription extends ModelInterface {
  /** Numbers of the versions, ascending; of very many the newest. */
  readonly versions: readonly number[];
  /** False where the backbone of the version is not installed (any more). */
  readonly isReady: boolean;
}

export interface ModelInterfaces {
  /** Of the version that `name` stands for (see `resolveModel`). Throws NotFoundError, ConflictError for a run without a model. */
  of(name: string): Promise<ModelInterface>;
  /** The same with what else is told of it. */
  describe(name: string): Promise<ModelDescription>;
}

/** Runs whose interface is remembered: it never changes. */
const capacity = 1_000;
const mostVersions = 1_000;

export function createModelInterfaces({
  store,
  plugins,
  modelResolver,
}: Pick<Installation, "store" | "plugins" | "modelResolver">): ModelInterfaces {
  const known = new Map<string, ModelInterface>();

  const ofRun = async (run: Run): Promise<ModelInterface> => {
    const before = known.get(run.id);
    if (before) return before;
    const found = await interfaceOf(store, run);
    if (known.size >= capacity) known.clear();
    known.set(run.id, found);
    return found;
  };

  return {
    of: async (name) => ofRun((await modelResolver.resolve(name, "model")).run),

    async describe(name) {
      const { model, run } = await modelResolver.resolve(name, "model");
      const versions = await store.models.versionPagesByModelIds([model.id], { first: mostVersions });
      return {
        ...(await ofRun(run)),
        versions: versions.map(({ number }) => number).sort((a, b) => a - b),
        isReady: plugins.has(run.backboneName),
      };
    },
  };
}

async function interfaceOf({ datasets }: Installation["store"], run: Run): Promise<ModelInterface> {
  const dataset = await datasets.get(run.datasetId);
  const shape = manifestOf(dataset)?.shape;
  if (!shape) throw new ConflictError(`run ${run.id}: expected a run with a model, but it is ${run.state}`);
  const { fields, scenario } = specOf(dataset);
  const cell = cellOf(run);
  return {
    fields: fields.map((field) => ({
      column: field.column,
      kind: field.kind,
      width: field.kind === "VECTOR" ? field.width : 1,
      mayBeLeftOut: field.column === scenario.column,
    })),
    scenarios: cell ? [cell.scenario] : shape.scenarios,
    tasks: cell ? [cell.task] : shape.tasks,
  };
}
