import { InternalError } from "../../src/base/errors.ts";

/** An array to be written. */
export interface TestArray {
  readonly type: "uint8" | "int8" | "uint32" | "float32";
  readonly shape: readonly number[];
  readonly data: readonly number[];
  /** Shape of a chunk; packed with gzip then. */
  readonly chunks?: readonly number[];
}

const TYPES = {
  uint8: ["<B", Uint8Array],
  int8: ["<b", Int8Array],
  uint32: ["<I", Uint32Array],
  float32: ["<f", Float32Array],
} as const;

/** One-hot sequences of equal length, [sequences, bases, 4]; zeros for N. */
export function oneHot(sequences: readonly string[]): { type: "uint8"; shape: number[]; data: number[] } {
  const shape = [sequences.length, sequences[0].length, 4];
  const data = new Array<number>(sequences.length * sequences[0].length * 4).fill(0);
  for (const [i, base] of [...sequences.join("")].entries()) {
    const code = "ACGT".indexOf(base);
    if (code >= 0) data[4 * i + code] = 1;
  }
  return { type: "uint8", shape, data };
}

/** Writes an HDF5 file with the HDF5 library, with groups by the paths of the arrays. */
export async function writeHdf5(path: string, arrays: Readonly<Record<string, TestArray>>): Promise<void> {
  const { default: h5wasm } = await import("h5wasm/node");
  await h5wasm.ready;
  const file = new h5wasm.File(path, "w");
  for (const [name, { type, shape, data, chunks }] of Object.entries(arrays)) {
    const [dtype, Typed] = TYPES[type];
    const parts = name.split("/");
    const last = parts.pop()!;
    let group: ReturnType<typeof file.create_group> | typeof file = file;
    for (const part of parts) {
      group = group.keys().includes(part)
        ? (group.get(part) as ReturnType<typeof file.create_group>)
        : group.create_group(part);
    }
    if (data.length !== shape.reduce((product, size) => product * size, 1)) {
      throw new InternalError(`${name}: ${data.length} numbers are not [${shape.join(", ")}]`);
    }
    const packed = chunks === undefined ? {} : { chunks: [...chunks], compression: 4 };
    group.create_dataset({ name: last, data: Typed.from(data), shape: [...shape], dtype, ...packed });
  }
  file.close();
}
