import { InputError } from "../base/errors.ts";
import { KERNELS } from "./k-means-kernels-wasm.ts";

interface KernelMemory {
  readonly buffer: ArrayBuffer;
}

/** The subset of WebAssembly used here, which TypeScript declares for browsers only. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => KernelMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: KernelFunctions };
};

/**
 * Functions of `k-means-kernels.wat`, where each is described; addresses and sizes are in bytes.
 */
export interface KernelFunctions {
  nearer(block: number, end: number, origin: number, width: number, known: number, out: number): void;
  products(pair: number, end: number, rows: number, centres: number, width: number, out: number): void;
  addRows(row: number, end: number, width: number, cluster: number, targets: number): void;
  wake(
    row: number,
    end: number,
    reach: number,
    lower: number,
    moved: number,
    width: number,
    woken: number,
  ): number;
  pair(
    woken: number,
    end: number,
    reach: number,
    lower: number,
    moved: number,
    width: number,
    pair: number,
    count: number,
  ): void;
  compare(
    woken: number,
    end: number,
    starts: number,
    pair: number,
    found: number,
    scale: number,
    error: number,
    norms: number,
    squares: number,
    path: number,
    clusters: number,
    own: number,
    lower: number,
    width: number,
    nearest: number,
    best: number,
    second: number,
  ): void;
}

const PAGE = 65_536;

/** Bytes of a number. */
export const NUMBER_BYTES = Float64Array.BYTES_PER_ELEMENT;

/**
 * WebAssembly memory for arrays of 8-byte numbers, each aligned to 64 bytes, after 64 unused bytes.
 *
 * @param lengths  of the arrays
 * @returns        the memory, and the arrays as float64
 * @throws {InputError} when they do not fit into 4 GiB
 */
export function memoryOf(lengths: readonly number[]) {
  let bytes = 64;
  const starts = lengths.map((length) => {
    const start = bytes;
    bytes += 64 * Math.ceil((NUMBER_BYTES * length) / 64);
    return start;
  });
  const pages = Math.ceil(bytes / PAGE);
  if (pages > 65_536) {
    throw new InputError(
      `k-means of this table needs ${Math.round(bytes / 2 ** 30)} GiB; at most 4 GiB fit into WebAssembly memory`,
    );
  }
  const memory: KernelMemory = new WebAssembly.Memory({ initial: pages });
  const parts = lengths.map((length, i) => new Float64Array(memory.buffer, starts[i], length));
  return { memory, parts };
}

let compiled: object | undefined;

/** Functions of the kernels, working in `memory`. The module is compiled once per process. */
export function instantiate(memory: KernelMemory): KernelFunctions {
  compiled ??= new WebAssembly.Module(Buffer.from(KERNELS, "base64"));
  return new WebAssembly.Instance(compiled, { "k-means": { memory } }).exports;
}
