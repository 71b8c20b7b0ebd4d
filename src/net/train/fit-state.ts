import { FormatError, InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import type { NdArray } from "../arrays/array.ts";
import { openCheckpoint } from "../arrays/checkpoint.ts";
import { writeSafetensors } from "../arrays/safetensors.ts";
import type { DeviceKind } from "../runtime/device.ts";
import type { TrainState } from "./train-step.ts";

/** State of a training run between two batches: with data and recipe, everything needed to resume. */
export interface FitState {
  /** Digest of everything that determines the result; the state of another training run is rejected. */
  readonly identity: string;
  /** Device of all batches so far: others round differently. */
  readonly device: DeviceKind;
  /** The next batch to compute. */
  readonly epoch: number;
  readonly batch: number;
  /** Σ loss · examples over the batches of this epoch so far. */
  readonly lossSum: number;
  readonly history: readonly EpochRecord[];
  readonly train: TrainState;
}

const KEY = "training";

/** Writes a state atomically as a safetensors file, whose metadata contains everything but the arrays. */
export async function writeFitState(path: string, { train, ...place }: FitState): Promise<void> {
  const { step, pending, arrays } = train;
  const metadata = { [KEY]: JSON.stringify({ ...place, step, pending }) };
  await writeArrays(path, arrays, metadata);
}

/**
 * Reads a state from a file.
 *
 * @returns  undefined when there is no file
 * @throws {InputError} when it is the state of another training run, or of one on another device
 * @throws {FormatError} when it is not a state
 */
export async function readFitState(
  path: string,
  { identity, device }: Pick<FitState, "identity" | "device">,
): Promise<FitState | undefined> {
  if ((await kindOfPath(path)) === undefined) return undefined;
  await using checkpoint = await openCheckpoint(path);
  const text = checkpoint.metadata.get(KEY);
  if (text === undefined) throw new FormatError({ file: path }, "this is not the state of a training run");
  type Stored = Omit<FitState, "train" | "device"> & Partial<Pick<FitState, "device">>;
  // Earlier versions trained on the CPU only and wrote no device.
  const stored: Stored & Pick<TrainState, "step" | "pending"> = JSON.parse(text);
  const { step, pending, history, device: began = "cpu", ...place } = stored;
  if (place.identity !== identity) {
    throw new InputError("this is the state of a training run with other data or another recipe", {
      place: { file: path },
      hint: "choose another folder, or remove this one to start again",
    });
  }
  if (began !== device) {
    throw new InputError(`this training run is computed on ${began}; ${device} was requested`, {
      place: { file: path },
      hint: `resume it with --device ${began}, or choose another folder`,
    });
  }
  return {
    ...place,
    device,
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

/** Reads all arrays of a file into memory. */
export async function readArrays(path: string): Promise<ReadonlyMap<string, NdArray>> {
  await using checkpoint = await openCheckpoint(path);
  const arrays = new Map<string, NdArray>();
  for (const name of checkpoint.arrays.keys()) arrays.set(name, await checkpoint.read(name));
  return arrays;
}

/** Restores NaN, which JSON stores as null. */
function withNaN(columns: Readonly<Record<string, number | null>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(columns).map(([name, value]) => [name, value ?? Number.NaN]));
}

/** Results of one epoch. */
export interface EpochRecord {
  /** 0-based, as the original counts. */
  readonly epoch: number;
  /** Mean training loss over the examples of the epoch, each at the time of its batch. */
  readonly trainLoss: number;
  /** Validation results by column of `train.log`, including `val_loss`. */
  readonly validation: Readonly<Record<string, number>>;
}

/** Progress of a training run. */
export type FitEvent =
  | {
      readonly kind: "resumed";
      /** Next epoch and batch to compute, 0-based. */
      readonly epoch: number;
      readonly batch: number;
    }
  | {
      readonly kind: "batch";
      readonly epoch: number;
      readonly epochs: number;
      readonly batch: number;
      readonly batches: number;
      /** Examples of the epoch, and how many of them have been seen. */
      readonly examples: number;
      readonly seen: number;
      readonly loss: number;
      readonly examplesPerSecond: number;
      /** Until the end of the last epoch, including validation; early stopping may end sooner. */
      readonly secondsLeft: number;
    }
  | { readonly kind: "epoch"; readonly record: EpochRecord; readonly best: boolean };

/**
 * First epoch with the smallest validation loss, whose parameters are kept.
 *
 * @returns  undefined when there is no epoch
 */
export function bestEpoch(history: readonly EpochRecord[]): EpochRecord | undefined {
  return history.reduce<EpochRecord | undefined>(
    (best, record) =>
      best === undefined || record.validation.val_loss < best.validation.val_loss ? record : best,
    undefined,
  );
}

/** Text of `train.log`: a header and one line per epoch, tab-separated. */
export function trainLog(history: readonly EpochRecord[]): string {
  const columns = Object.keys(history[0]?.validation ?? {});
  const lines = history.map(({ epoch, validation }) => [epoch, ...columns.map((name) => validation[name])]);
  return [["epoch", ...columns], ...lines].map((cells) => `${cells.join("\t")}\n`).join("");
}
