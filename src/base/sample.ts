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
  return items[integerBelow(rng, items.length)]!;
}

/** Shuffles in place; every order is equally likely. */
export function shuffle<T>(rng: Pcg64, items: T[]): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = integerBelow(rng, i + 1);
    const kept = items[i]!;
    items[i] = items[j]!;
    items[j] = kept;
  }
}
