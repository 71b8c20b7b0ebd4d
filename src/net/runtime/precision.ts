import { InputError } from "../../base/errors.ts";
import { input, integerProduct, parameter } from "../graph/build.ts";
import type { Device } from "./device.ts";
import { openProgram } from "./program.ts";

/**
 * Precisions of a model's forward pass: float32, or dense layers in 8-bit integers (`quantised`). float16 is
 * not among them: CPUs compute it no faster, and for GPUs it is not implemented.
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

/** Products that overflow 16 bits, as sums of two. */
const TERMS = 64;
const [LARGEST, STEPS] = [255, 127];

let exact: Promise<boolean> | undefined;

/**
 * Checks that the CPU adds products of 8-bit integers without overflow. x86 processors without VNNI add two of
 * them in 16 bits, which saturates.
 *
 * @throws {InputError} when sums saturate
 */
export async function expectExactProducts(): Promise<void> {
  exact ??= computesExactly();
  if (await exact) return;
  throw new InputError("this CPU adds products of 8-bit integers in 16 bits, which overflow", {
    hint: "use --precision f32; int8 needs AVX-VNNI, AVX-512 VNNI or an ARM processor",
  });
}

async function computesExactly(): Promise<boolean> {
  const weight = Int8Array.from({ length: TERMS * TERMS }, () => STEPS);
  const program = await openProgram(
    {
      y: integerProduct(
        input("x", "uint8", [1, TERMS]),
        parameter("weight", [TERMS, TERMS], "int8"),
        parameter("scale", [TERMS]),
      ),
    },
    new Map([
      ["weight", { dtype: "int8", shape: [TERMS, TERMS], data: weight }],
      ["scale", { dtype: "float32", shape: [TERMS], data: new Float32Array(TERMS).fill(1) }],
    ]),
    { threads: 1 },
  );
  const x = { dtype: "uint8", shape: [1, TERMS], data: new Uint8Array(TERMS).fill(LARGEST) } as const;
  const { y } = await program.run({ x });
  await program.close();
  return (y.data as Float32Array).every((value) => value === TERMS * STEPS * (LARGEST - 128));
}
