import type { DType, NdArray } from "../arrays/array.ts";
import { apply } from "./apply.ts";
import type { Dim, Shape } from "./dim.ts";
import { GraphError } from "./graph-error.ts";
import type { Sym } from "./sym.ts";

/** A tensor fed at every run. Symbolic sizes are bound by the first input that has them. */
export function input(name: string, dtype: DType, shape: Shape): Sym {
  return apply("Input", [], { name, dtype, shape });
}

/** A tensor bound once, when the program is opened. */
export function parameter(name: string, shape: readonly number[], dtype: DType = "float32"): Sym {
  return apply("Parameter", [], { name, shape, dtype });
}

/**
 * A parameter as float32, converted at every run once another tensor is known.
 *
 * @param stored  a parameter: float32, bfloat16 or float16
 * @param after   has an axis of symbolic size
 */
export const loadParameter = (stored: Sym, after: Sym): Sym => apply("LoadParameter", [stored, after], {});

/** An array with fixed values. */
export function constant(array: NdArray): Sym {
  return apply("Constant", [], { array });
}

const typed: Partial<Record<DType, (value: number) => NdArray["data"]>> = {
  float32: (value) => Float32Array.of(value),
  float64: (value) => Float64Array.of(value),
  int32: (value) => Int32Array.of(value),
  int64: (value) => BigInt64Array.of(BigInt(value)),
  bool: (value) => Uint8Array.of(value),
};

/** A constant without axes. */
export function scalar(value: number, dtype: DType = "float32"): Sym {
  const make = typed[dtype];
  if (make === undefined) throw new GraphError(`no constant of type ${dtype}`);
  return constant({ dtype, shape: [], data: make(value) });
}

/** A tensor of one value. */
export function fill(shape: Shape, value: number, dtype: DType = "float32"): Sym {
  return apply("Fill", [], { shape, value, dtype });
}

/** 0, 1, …, size − 1 as int64. */
export const range = (size: Dim) => apply("Range", [], { size });
