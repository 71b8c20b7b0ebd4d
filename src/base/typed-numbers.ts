import { InternalError } from "./errors.ts";

/** Number types of a column, by their NumPy names. */
export const NUMBER_TYPES = ["uint8", "uint16", "uint32", "int32", "float32", "float64"] as const;
export type NumberType = (typeof NUMBER_TYPES)[number];

const ARRAYS = {
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

export type Numbers = InstanceType<(typeof ARRAYS)[NumberType]>;

/** List of numbers, in memory or on disk. */
export interface NumberList {
  readonly length: number;
  /** @param i  0-based, below the length */
  at(i: number): number;
}

/** Array of zeros. */
export function newNumbers(type: NumberType, length: number): Numbers {
  return new ARRAYS[type](length);
}

/** Type of an array. */
export function typeOfNumbers(numbers: Numbers): NumberType {
  const type = NUMBER_TYPES.find((name) => numbers instanceof ARRAYS[name]);
  if (type === undefined) throw new InternalError("unknown type of array");
  return type;
}

/** Bytes of one number. */
export const bytesPerNumber = (type: NumberType): number => ARRAYS[type].BYTES_PER_ELEMENT;

/** Smallest type that represents every value exactly, including -0 and NaN; "uint8" for no values. */
export function smallestType(values: Float64Array): NumberType {
  let [integers, singles, least, most] = [true, true, 0, 0];
  for (const value of values) {
    if (integers && !(Number.isInteger(value) && !Object.is(value, -0))) integers = false;
    if (singles && !Object.is(Math.fround(value), value)) singles = false;
    if (!integers && !singles) return "float64";
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const integer = INTEGERS.find(([, from, to]) => least >= from && most < to);
  if (integers && integer !== undefined) return integer[0];
  return singles ? "float32" : "float64";
}

/** Integer types, smallest first, and the half-open ranges of their values. */
const INTEGERS = [
  ["uint8", 0, 2 ** 8],
  ["uint16", 0, 2 ** 16],
  ["uint32", 0, 2 ** 32],
  ["int32", -(2 ** 31), 2 ** 31],
] as const;

/** Smallest type that represents all values of both types. */
export function commonType(a: NumberType, b: NumberType): NumberType {
  const fits = (wide: NumberType) =>
    [a, b].every((narrow) => narrow === wide || NARROWER[wide].includes(narrow));
  return NUMBER_TYPES.find(fits) ?? "float64";
}

/** Types whose values are all representable in the key's type. */
const NARROWER: Readonly<Record<NumberType, readonly NumberType[]>> = {
  uint8: [],
  uint16: ["uint8"],
  uint32: ["uint8", "uint16"],
  int32: ["uint8", "uint16"],
  float32: ["uint8", "uint16"],
  float64: ["uint8", "uint16", "uint32", "int32", "float32"],
};

/** Converts an array to a type; returns the array itself if it already has the type. */
export function asType(numbers: Numbers, type: NumberType): Numbers {
  if (typeOfNumbers(numbers) === type) return numbers;
  const copy = newNumbers(type, numbers.length);
  copy.set(numbers);
  return copy;
}
