/**
 * Where a training stands, so that another process goes on with it bitwise the same. It is a checkpoint (the model that
 * would be kept if the training ended now) with more arrays under "training/" and a position in its description, so the
 * same file serves to go on and to predict.
 */
import type { Checkpoint, NamedArrays } from "../model/checkpoint.ts";
import type { RandomState } from "../random.ts";
import type { StoppingState } from "./earlyStopping.ts";
import type { Learner, LearnerState } from "./learner.ts";

/** The next thing to do. */
export interface Place {
  /** Epochs done. */
  readonly epoch: number;
  /** Steps done in the epoch after them; all of its steps where only its validation is left to do. */
  readonly step: number;
  /** Of what is drawn for the rows of this epoch; null at the start of an epoch. */
  readonly random: RandomState | null;
}

export interface TrainingPosition extends Place, Pick<LearnerState, "steps" | "maskState"> {
  /** Absent in a search. */
  readonly stopping?: StoppingState;
  /** Seconds spent so far, in all attempts. */
  readonly seconds: number;
  /** Names the run, so that no two runs have the same file. */
  readonly run: string;
}

/** Its arrays may be views of a learner's: encode it before the next step. */
export interface SavedTraining extends Checkpoint {
  readonly training: TrainingPosition;
}

/** True where the file is a model worth keeping: at least one epoch has been done and measured. */
export function isModel({ training }: SavedTraining): boolean {
  return training.epoch > 0;
}

/** `model` with all that `learner` needs to go on. Arrays that are the same in both are stored once. */
export function savedTraining(
  model: Checkpoint,
  learner: Learner,
  position: Omit<TrainingPosition, "steps" | "maskState">,
): SavedTraining {
  const { arrays, ...counters } = learner.state();
  const further = Object.entries(arrays)
    .filter(([name, { values }]) => model.arrays[name.replace(/^now\//, "")]?.values !== values)
    .map(([name, array]) => [`${prefix}${name}`, array] as const);
  return {
    ...model,
    arrays: { ...model.arrays, ...Object.fromEntries(further) },
    training: { ...position, ...counters },
  };
}

/** What `Learner.restore` takes. */
export function learnerStateOf({ arrays, training }: SavedTraining): LearnerState {
  const own = Object.entries(modelArraysOf(arrays)).map(([name, array]) => [`now/${name}`, array] as const);
  const further = Object.entries(arrays)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, array]) => [name.slice(prefix.length), array] as const);
  const { steps, maskState } = training;
  return { steps, maskState, arrays: { ...Object.fromEntries(own), ...Object.fromEntries(further) } };
}

/** The arrays of the model alone. */
export function modelArraysOf(arrays: NamedArrays): NamedArrays {
  return Object.fromEntries(Object.entries(arrays).filter(([name]) => !name.startsWith(prefix)));
}

const prefix = "training/";
