import { InputError } from "../../base/errors.ts";
import { input, integerProduct, parameter } from "../graph/build.ts";
import { openProgram } from "./program.ts";

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
  return (y.data as Float32Array).every((value) => value === TERMS * STEPS * (LARGEST - 128));
}
