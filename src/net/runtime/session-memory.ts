import { elementCount, isFloat } from "../arrays/array.ts";
import type { StoredArray } from "../arrays/stored-array.ts";
import type { TrainingKind } from "./device.ts";

/**
 * Resident bytes of ONNX Runtime with one session, without weights and activations: the pages of its library,
 * its threads and the tables of the session. Measured with a model of a few kilobytes.
 */
export const RUNTIME_BYTES = 50e6;

/**
 * Ratio of the memory of a forward pass to its live values: fragments of the arena and temporaries inside
 * operators. Measured ratios are 1.0 (HyenaDNA) to 1.36 (Nucleotide Transformer, 2,114 bases). Of training
 * steps, which mostly store activations, the ratio is 0.82 to 1.17, and 1 is assumed.
 */
const FORWARD_SHARE = 1.15;

/**
 * Bytes of the activations of a forward pass. @param values  float32 values alive at once, by `peakValues`
 */
export const forwardBytes = (values: number): number => 4 * FORWARD_SHARE * values;

/**
 * Bytes of a 16-bit value that is held as float32: its 4 bytes, and those that ONNX Runtime frees after the
 * conversion, which the system gets back in part. Measured are 5.9, and 7.0 for weights that are then rounded
 * to 8 bits.
 */
const CONVERTED_BYTES = 7;

/** Bytes of memory of a parameter that a program holds. */
export function heldBytes({ dtype, shape, length }: StoredArray): number {
  if (!isFloat(dtype)) return length;
  return (dtype === "float32" ? 4 : CONVERTED_BYTES) * elementCount(shape);
}

/** Limits of one run of a training step or of a trained network, in bytes. */
export interface RunLimits {
  /** All live values. */
  readonly run: number;
  /** The largest tensor. */
  readonly tensor: number;
}

/**
 * Limits by device, equal on all machines, because they determine how batches are split. CPU: larger runs are
 * not faster. WebGPU: a tensor is one buffer, whose largest size and binding (`maxBufferSize`,
 * `maxStorageBufferBindingSize`) are 1 GiB on SwiftShader and 2 GiB or more on common GPUs. The totals of
 * WebGPU and CUDA fit on GPUs with 8 and 16 GB, together with the weights of a model of 500 million
 * parameters; they are not measured.
 */
export const RUN_LIMITS: Readonly<Record<TrainingKind, RunLimits>> = {
  cpu: { run: 2e9, tensor: Number.POSITIVE_INFINITY },
  webgpu: { run: 4e9, tensor: 2 ** 30 },
  cuda: { run: 8e9, tensor: Number.POSITIVE_INFINITY },
};

/** True if the live values of a run are not in the machine's memory. WebGPU may run on an integrated GPU. */
export const hasOwnMemory = (device: TrainingKind): boolean => device === "cuda";
