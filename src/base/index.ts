/** For users of `dart-eval/base`: random numbers equal to NumPy's and CPython's, digests, and the errors to catch. */

export { CPythonRandom } from "./cpython-random.ts";
export { digestFile, sha256Hex } from "./digest.ts";
export { FormatError, InputError, InternalError, type Place } from "./errors.ts";
export { legacyChoice2, legacyRandint, Mt19937 } from "./mt19937.ts";
export { Pcg64 } from "./pcg64.ts";
export { choice, integerBelow, normal, shuffle, uniform } from "./sample.ts";
export { type SeedPart, seedOf } from "./seed.ts";
export { version } from "./version.ts";
