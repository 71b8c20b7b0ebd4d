/**
 * Errors, digests, and random generators equal to those of NumPy and CPython.
 *
 * @module dart-eval/base
 */

export { digestFile, sha256Hex } from "./digest.ts";
export { FormatError, InputError, InternalError, type Place } from "./errors.ts";
export { CPythonRandom, legacyChoice2, legacyRandint, Mt19937 } from "./mt19937.ts";
export { version } from "./package.ts";
export { Pcg64 } from "./pcg64.ts";
export { choice, integerBelow, normal, type SeedPart, seedOf, shuffle, uniform } from "./random.ts";
