import { InputError } from "../../base/errors.ts";
import type { Device } from "./device.ts";

/**
 * Precisions of a model's forward pass: float32, or dense layers in 8-bit integers (`quantised`). float16 is
 * not among them: CPUs compute it no faster, and its gain on GPUs could not be measured.
 */
export const PRECISIONS = ["f32", "int8"] as const;
/** A precision of a forward pass. */
export type Precision = (typeof PRECISIONS)[number];

/** Precisions that are checked against float32. */
export const REDUCED_PRECISIONS = ["int8"] as const satisfies readonly Precision[];
/** A precision that is checked against float32. */
export type ReducedPrecision = (typeof REDUCED_PRECISIONS)[number];

/**
 * Device of a forward pass in a precision: 8-bit integers run on the CPU, which "auto" then selects.
 *
 * @throws {InputError} when a GPU is requested
 */
export function deviceFor(precision: Precision, device: Device): Device {
  if (precision === "f32" || device === "cpu") return device;
  if (device === "auto") return "cpu";
  throw new InputError(`int8 runs on the CPU, and the device ${device} was requested`, {
    hint: "use --device cpu, or --precision f32",
  });
}
