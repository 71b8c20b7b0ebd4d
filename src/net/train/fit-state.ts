import { FormatError, InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import type { NdArray } from "../arrays/array.ts";
import { openCheckpoint } from "../arrays/checkpoint.ts";
import { writeSafetensors } from "../arrays/safetensors.ts";
import type { TrainState } from "./train-step.ts";

/** Where a training stands between two batches: with the data and the recipe, everything it goes on from. */
export interface FitState {
  /** Digest of what decides the result; a state of another training is refused. */
  readonly identity: string;
  /** The next batch to be computed. */
  readonly epoch: number;
  readonly batch: number;
  /** Over the batches of this epoch so far: Σ loss · examples. */
  readonly lossSum: number;
  readonly history: readonly EpochRecord[];
  readonly train: TrainState;
}

const KEY = "training";

/** Writes a state, whole or not at all, as a safetensors file whose metadata tells the place. */
export async function writeFitState(path: string, { train, ...place }: FitState): Promise<void> {
  const { step, pending, arrays } = train;
  const metadata = { [KEY]: JSON.stringify({ ...place, step, pending }) };
  await writeArrays(path, arrays, metadata);
}

/**
 * The state that was written to a file.
 *
 * @returns  undefined when there is no file
 * @throws {InputError} when it is the state of another training
 * @throws {FormatError} when it is something else
 */
export async function readFitState(path: string, identity: string): Promise<FitState | undefined> {
  if ((await kindOfPath(path)) === undefined) return undefined;
  await using checkpoint = await openCheckpoint(path);
  const text = checkpoint.metadata.get(KEY);
  if (text === undefined) throw new FormatError({ file: path }, "this is not the state of a training");
  const { step, pending, history, ...place } = JSON.parse(text) as Omit<FitState, "train"> &
    Pick<TrainState, "step" | "pending">;
  if (place.identity !== identity) {
    throw new InputError("this is the state of a training with other data or another recipe", {
      place: { file: path },
      hint: "choose another folder, or remove this one to train anew",
    });
  }
  return {
    ...place,
    history: history.map((record) => ({ ...record, validation: withNaN(record.validation) })),
    train: { step, pending, arrays: await readArrays(path) },
  };
}

/** Writes arrays as a safetensors file. */
export async function writeArrays(
  path: string,
  arrays: ReadonlyMap<string, NdArray>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const named = [...arrays].map(([name, { dtype, shape, data }]) => ({ name, dtype, shape, data }));
  await writeSafetensors(path, named, { format: "pt", ...metadata });
}

/** All arrays of a file, read into memory. */
export async function readArrays(path: string): Promise<ReadonlyMap<string, NdArray>> {
  await using checkpoint = await openCheckpoint(path);
  const arrays = new Map<string, NdArray>();
  for (const name of checkpoint.arrays.keys()) arrays.set(name, await checkpoint.read(name));
  return arrays;
}

/** JSON has no NaN and writes null. */
function withNaN(columns: Readonly<Record<string, number | null>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(columns).map(([name, value]) => [name, value ?? Number.NaN]));
}

/** What came out of one epoch. */
export interface EpochRecord {
  /** 0-based, as the original counts. */
  readonly epoch: number;
  /** Mean loss of the epoch's training examples, each as it was when its batch was seen. */
  readonly trainLoss: number;
  /** Results of the validation pass by column of `train.log`, `val_loss` among them. */
  readonly validation: Readonly<Record<string, number>>;
}

/** What a training tells while it goes. */
export type FitEvent =
  | {
      readonly kind: "resumed";
      /** The first epoch and batch that are still to be computed, 0-based. */
      readonly epoch: number;
      readonly batch: number;
    }
  | {
      readonly kind: "batch";
      readonly epoch: number;
      readonly epochs: number;
      readonly batch: number;
      readonly batches: number;
      /** Examples of the epoch, and those of them that were seen. */
      readonly examples: number;
      readonly seen: number;
      readonly loss: number;
      readonly examplesPerSecond: number;
      /** To the last epoch, validation included; early stopping may come sooner. */
      readonly secondsLeft: number;
    }
  | { readonly kind: "epoch"; readonly record: EpochRecord; readonly best: boolean };

/**
 * The epoch that is kept: the first with the smallest validation loss.
 *
 * @returns  undefined when there is no epoch
 */
export function bestEpoch(history: readonly EpochRecord[]): EpochRecord | undefined {
  return history.reduce<EpochRecord | undefined>(
    (best, record) =>
      best === undefined || record.validation.val_loss! < best.validation.val_loss! ? record : best,
    undefined,
  );
}

/** The text of `train.log`: a header, then a line per epoch, separated by tabs. */
export function trainLog(history: readonly EpochRecord[]): string {
  const columns = Object.keys(history[0]?.validation ?? {});
  const lines = history.map(({ epoch, validation }) => [epoch, ...columns.map((name) => validation[name])]);
  return [["epoch", ...columns], ...lines].map((cells) => `${cells.join("\t")}\n`).join("");
}
