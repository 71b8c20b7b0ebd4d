import { InputError } from "../../base/errors.ts";
import { dataOf } from "../arrays/array.ts";
import { cast, input, integerProduct, matMul, parameter } from "../graph/build.ts";
import { type ConcreteDevice, type Device, deviceKind } from "./device.ts";
import type { Precision, ReducedPrecision } from "./precision.ts";
import { checkDevice, openProgram, workingDevice } from "./program.ts";

/** Devices of each reduced precision, and how "auto" selects one. */
const FORMS: {
  readonly [P in ReducedPrecision]: (device: Device) => Promise<ConcreteDevice>;
} = { f16: halfPrecisionDevice, int8: integerDevice };

/**
 * Device of a forward pass in a precision: 8-bit integers run on the CPU, which "auto" then selects; float16
 * runs on WebGPU and CUDA. A small product is computed first.
 *
 * @throws {InputError} when the device, or the one that "auto" selects, does not compute in this precision
 */
export const precisionDevice = (precision: Precision, device: Device): Promise<ConcreteDevice> =>
  precision === "f32" ? workingDevice(device) : FORMS[precision](device);

async function integerDevice(device: Device): Promise<ConcreteDevice> {
  if (device !== "cpu" && device !== "auto") {
    throw new InputError(`int8 runs on the CPU, and the device ${device} was requested`, {
      hint: "use --device cpu, or --precision f32",
    });
  }
  await checkExactProducts();
  return "cpu";
}

async function halfPrecisionDevice(device: Device): Promise<ConcreteDevice> {
  const found = await workingDevice(device);
  const kind = deviceKind(found);
  if (kind !== "webgpu" && kind !== "cuda") {
    const reason = kind === "cpu" ? "a CPU is not faster in 16 bits" : `${kind} selects its own precision`;
    const selected = device === "auto" ? ", which --device auto selected" : "";
    throw new InputError(`f16 runs on webgpu and cuda, and the device is ${found}${selected}: ${reason}`, {
      hint: kind === "cpu" ? "use --precision int8 or f32" : "use --device webgpu, or --precision f32",
    });
  }
  await checkHalfProducts(found);
  return found;
}

const halfProducts = new Map<ConcreteDevice, Promise<void>>();

/**
 * Checks that a device multiplies matrices in float16.
 *
 * @throws {InputError} when the device is not available, or has no float16
 */
async function checkHalfProducts(device: ConcreteDevice): Promise<void> {
  const known = halfProducts.get(device) ?? computeHalfProduct(device);
  halfProducts.set(device, known);
  await known;
}

const SIZE = 32;

async function computeHalfProduct(device: ConcreteDevice): Promise<void> {
  await checkDevice(device);
  const half = (name: string) => cast(input(name, "float32", [SIZE, SIZE]), "float16");
  const ones = { dtype: "float32", shape: [SIZE, SIZE], data: new Float32Array(SIZE ** 2).fill(1) } as const;
  let cause: unknown;
  try {
    const program = await openProgram({ y: cast(matMul(half("a"), half("b")), "float32") }, undefined, {
      device,
      silent: true,
    });
    try {
      const { y } = await program.run({ a: ones, b: ones });
      if (dataOf(y, "float32").every((sum) => sum === SIZE)) return;
    } finally {
      await program.close();
    }
  } catch (error) {
    cause = error;
  }
  const lacking = device === "webgpu" ? " (it lacks the WebGPU feature shader-f16)" : "";
  throw new InputError(`the device ${device} does not compute in float16${lacking}`, {
    hint: "use --precision f32, or a GPU and driver with float16",
    cause,
  });
}

/** Products that overflow 16 bits, as sums of two. */
const TERMS = 64;
const [LARGEST, STEPS] = [255, 127];

let exact: Promise<boolean> | undefined;

/**
 * Checks that the CPU adds products of 8-bit integers without overflow. x86 processors without VNNI add two
 * of them in 16 bits, which saturates.
 *
 * @throws {InputError} when sums saturate
 */
export async function checkExactProducts(): Promise<void> {
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
  return dataOf(y, "float32").every((value) => value === TERMS * STEPS * (LARGEST - 128));
}
