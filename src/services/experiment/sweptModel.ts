/** A configuration with the values of one point of a sweep in it. */
import { ProductError } from "../../errors.ts";
import type { BackbonePlugin } from "../../plugin/contract.ts";
import { hyperParametersInput } from "../run/completeHyperParameters.ts";
import type { SweepParameter } from "./experimentInput.ts";
import type { SweepPoint } from "./experimentSpec.ts";
import { parseInput } from "../parseInput.ts";
import type { ModelInput, PlannedModel } from "../run/plannedModel.ts";
import { plannedModel } from "../run/plannedModel.ts";

/** Where the request has the configuration, and the parameters whose values are put into it. */
export interface SweptField {
  readonly field: string;
  readonly parameters: readonly SweepParameter[];
}

/** Checked as `plannedModel` does; what is wrong with a value of the point is told of the place it comes from. */
export function sweptModel(
  plugins: ReadonlyMap<string, BackbonePlugin>,
  model: ModelInput,
  point: SweepPoint,
  { field, parameters }: SweptField,
): PlannedModel {
  if (parameters.length === 0) return plannedModel(plugins, model, field);
  const { hyperParameters, config } = structuredClone({
    hyperParameters: model.hyperParameters as Record<string, unknown>,
    config: model.backbone.config ?? {},
  });
  for (const [path, value] of Object.entries(point)) {
    const steps = path.split(".");
    if (steps[0] === "backbone") put(config, steps.slice(2), value);
    else put(hyperParameters, steps, value);
  }
  try {
    const numbers = parseInput(hyperParametersInput, hyperParameters, `${field}.hyperParameters`);
    const backbone = { ...model.backbone, config };
    return plannedModel(plugins, { ...model, backbone, hyperParameters: numbers }, field);
  } catch (error) {
    if (error instanceof ProductError) throw toldOfSweep(error, point, { field, parameters });
    throw error;
  }
}

/** Sets a member of a member ... of `target`; objects on the way are made. What is no object is left to the checks. */
function put(target: unknown, [step, ...rest]: readonly string[], value: unknown): void {
  if (target === null || typeof target !== "object") return;
  const members = target as Record<string, unknown>;
  if (rest.length === 0) members[step!] = value;
  else {
    if (!Object.hasOwn(members, step!)) members[step!] = {};
    put(members[step!], rest, value);
  }
}

function toldOfSweep(error: ProductError, point: SweepPoint, { field, parameters }: SweptField): ProductError {
  const at = error.detail.field ?? "";
  const index = parameters.findIndex(({ path }) => isWithin(at, `${field}.${inConfiguration(path)}`));
  const parameter = parameters[index];
  if (!parameter) {
    const hint = `it is so with ${JSON.stringify(point)} of the sweep`;
    return new ProductError(error.code, error.message, { ...error.detail, hint }, error);
  }
  const { path, values } = parameter;
  const place = values ? `.values[${values.indexOf(point[path])}]` : ".range";
  const inside = at.slice(`${field}.${inConfiguration(path)}`.length);
  const told = `input.sweep.parameters[${index}]${place}${inside}`;
  const message = error.message.startsWith(`${at}:`) ? told + error.message.slice(at.length) : error.message;
  return new ProductError(error.code, message, { ...error.detail, field: told }, error);
}

function inConfiguration(path: string): string {
  return path.startsWith("backbone.") ? path : `hyperParameters.${path}`;
}

function isWithin(field: string, outer: string): boolean {
  return field === outer || field.startsWith(`${outer}.`) || field.startsWith(`${outer}[`);
}
