import { hash } from "node:crypto";
import { InputError } from "./errors.ts";
import type { Pcg64 } from "./pcg64.ts";

// These draws differ from NumPy's. Draws equal to NumPy's (`permutation`, `random`) are methods of Pcg64.

/** A uniform number in [low, high). */
export function uniform(rng: Pcg64, low = 0, high = 1): number {
  return low + (high - low) * rng.nextFloat64();
}

/** A normal number (Box & Muller 1958; two uniform draws per number). Not NumPy's stream. */
export function normal(rng: Pcg64, mean = 0, deviation = 1): number {
  // 1 - u is in (0, 1]: its logarithm is finite.
  const radius = Math.sqrt(-2 * Math.log(1 - rng.nextFloat64()));
  return mean + deviation * radius * Math.cos(2 * Math.PI * rng.nextFloat64());
}

/**
 * A uniform integer in [0, n); n = 1 draws nothing.
 * @throws {InputError} when n is not an integer from 1 to 2^32
 */
export function integerBelow(rng: Pcg64, n: number): number {
  if (!(Number.isInteger(n) && n >= 1 && n <= 2 ** 32)) {
    throw new InputError(`cannot draw below ${n}: expected an integer from 1 to 2^32`);
  }
  if (n === 1) return 0;
  const mask = 0xffffffff >>> Math.clz32(n - 1);
  let drawn = (rng.nextUint32() & mask) >>> 0;
  while (drawn >= n) drawn = (rng.nextUint32() & mask) >>> 0;
  return drawn;
}

/**
 * One of the items, with equal probability.
 * @throws {InputError} when there are none
 */
export function choice<T>(rng: Pcg64, items: readonly T[]): T {
  if (items.length === 0) throw new InputError("there is nothing to choose from");
  return items[integerBelow(rng, items.length)];
}

/** Shuffles in place; all orders are equally likely. */
export function shuffle<T>(rng: Pcg64, items: T[]): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = integerBelow(rng, i + 1);
    const kept = items[i];
    items[i] = items[j];
    items[j] = kept;
  }
}

/** One field of the key of a row: an integer or printable ASCII text. */
export type SeedPart = number | string;

/**
 * Seed of a row, derived from its key alone, so that every shard, order or split draws the same numbers.
 *
 * Equal to DART-Eval's seed of the control of an element: SHA-256 of Python's `repr` of the tuple of `parts`,
 * as a big-endian number modulo 2^128. `seedOf([0, "chr1", 181251, 181601])` digests `(0, 'chr1', 181251,
 * 181601)`.
 *
 * @param parts  key of the row, in the order defined by its task
 * @returns  four 32-bit words, least significant first, for `new Pcg64(words)`
 * @throws {InputError} when a number is not an integer, or text has a character outside printable ASCII
 *   (Python's quoting of others depends on its Unicode version)
 */
export function seedOf(parts: readonly SeedPart[]): Uint32Array {
  let items = "";
  for (const part of parts) items += items === "" ? pythonRepr(part) : `, ${pythonRepr(part)}`;
  // "binary" is one character per byte and avoids a buffer per row.
  const digest = hash("sha256", parts.length === 1 ? `(${items},)` : `(${items})`, "binary");
  const words = new Uint32Array(4);
  for (let i = 0; i < 4; i++) {
    const at = 28 - 4 * i;
    words[i] =
      (digest.charCodeAt(at) << 24) |
      (digest.charCodeAt(at + 1) << 16) |
      (digest.charCodeAt(at + 2) << 8) |
      digest.charCodeAt(at + 3);
  }
  return words;
}

// Rows are ordered by chromosome, so the last quoted name is usually needed again.
let lastText = "";
let lastQuoted = "''";

function pythonRepr(part: SeedPart): string {
  if (typeof part === "number") {
    if (!Number.isSafeInteger(part)) throw new InputError(`${part} in a seed is not an integer`);
    // Adding 0 turns -0 into 0.
    return String(part + 0);
  }
  if (part !== lastText) {
    lastQuoted = quoted(part);
    lastText = part;
  }
  return lastQuoted;
}

function quoted(text: string): string {
  if (!/^[ -~]*$/.test(text)) {
    throw new InputError(`${JSON.stringify(text)} cannot be part of a seed: it is not printable ASCII`);
  }
  const escaped = text.replaceAll("\\", "\\\\");
  if (!text.includes("'")) return `'${escaped}'`;
  return text.includes('"') ? `'${escaped.replaceAll("'", "\\'")}'` : `"${escaped}"`;
}
