import { hash } from "node:crypto";
import { InputError } from "./errors.ts";
import type { Pcg64 } from "./pcg64.ts";

// Draws for data of our own making. Those that must equal NumPy's (`permutation`, `random`) are methods of Pcg64.

/** A number in [low, high), evenly spread. */
export function uniform(rng: Pcg64, low = 0, high = 1): number {
  return low + (high - low) * rng.nextFloat64();
}

/** A number from the normal distribution (Box & Muller 1958; two uniform draws for each). Not NumPy's stream. */
export function normal(rng: Pcg64, mean = 0, deviation = 1): number {
  // 1 - u lies in (0, 1]: its logarithm is finite.
  const radius = Math.sqrt(-2 * Math.log(1 - rng.nextFloat64()));
  return mean + deviation * radius * Math.cos(2 * Math.PI * rng.nextFloat64());
}

/**
 * A whole number in [0, n), each equally likely; nothing is drawn for n = 1.
 * @throws {InputError} when n is not a whole number from 1 to 2^32
 */
export function integerBelow(rng: Pcg64, n: number): number {
  if (!(Number.isInteger(n) && n >= 1 && n <= 2 ** 32)) {
    throw new InputError(`cannot draw below ${n}: a whole number from 1 to 2^32 is needed`);
  }
  if (n === 1) return 0;
  const mask = 0xffffffff >>> Math.clz32(n - 1);
  let drawn = (rng.nextUint32() & mask) >>> 0;
  while (drawn >= n) drawn = (rng.nextUint32() & mask) >>> 0;
  return drawn;
}

/**
 * One of the items, each equally likely.
 * @throws {InputError} when there is none
 */
export function choice<T>(rng: Pcg64, items: readonly T[]): T {
  if (items.length === 0) throw new InputError("there is nothing to choose from");
  return items[integerBelow(rng, items.length)];
}

/** Shuffles in place; every order is equally likely. */
export function shuffle<T>(rng: Pcg64, items: T[]): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = integerBelow(rng, i + 1);
    const kept = items[i];
    items[i] = items[j];
    items[j] = kept;
  }
}

/** What a row is, in an order that its task fixes: whole numbers and plain ASCII text. */
export type SeedPart = number | string;

/**
 * A seed that depends on what a row is and on nothing else, so that any shard, order or split draws the same numbers.
 *
 * It is the seed DART-Eval gives each element's control: SHA-256 of Python's `repr` of the tuple of `parts`, as a
 * big-endian number modulo 2^128. `seedOf([0, "chr1", 181251, 181601])` digests `(0, 'chr1', 181251, 181601)`.
 *
 * @returns  four 32-bit words, least significant first, as `new Pcg64(words)` takes them
 * @throws {InputError} when a number is not whole, or text has a letter outside printable ASCII (Python's quoting of
 *   others depends on its Unicode version)
 */
export function seedOf(parts: readonly SeedPart[]): Uint32Array {
  let items = "";
  for (const part of parts) items += items === "" ? pythonRepr(part) : `, ${pythonRepr(part)}`;
  // "binary" is one character per byte: no buffer is made for each row.
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

// Rows come chromosome by chromosome, so the same text is quoted again and again.
let lastText = "";
let lastQuoted = "''";

function pythonRepr(part: SeedPart): string {
  if (typeof part === "number") {
    if (!Number.isSafeInteger(part)) throw new InputError(`${part} in a seed is not a whole number`);
    // Adding 0 makes -0 into 0.
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
    throw new InputError(`${JSON.stringify(text)} cannot be part of a seed: it is not plain ASCII text`);
  }
  const escaped = text.replaceAll("\\", "\\\\");
  if (!text.includes("'")) return `'${escaped}'`;
  return text.includes('"') ? `'${escaped.replaceAll("'", "\\'")}'` : `"${escaped}"`;
}
