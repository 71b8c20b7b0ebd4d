import { InputError } from "./errors.ts";

/** The multiplier 0x2360ed051fc65da44385df649fccf645 of the 128-bit generator, least significant limb first. */
const M0 = 0x9fccf645;
const M1 = 0x4385df64;
const M2 = 0x1fc65da4;
const M3 = 0x2360ed05;

/** 64-bit outputs made at a time, by a loop that keeps the state in registers. */
const OUTPUTS = 32;

const { clz32, floor, imul } = Math;

/**
 * NumPy's default random generator: PCG64 (XSL-RR 128/64) behind a `SeedSequence`.
 *
 * The same seed gives the same stream as `numpy.random.default_rng(seed)`, bit for bit. The 128-bit state is kept as
 * 32-bit limbs, so that a draw costs no BigInt.
 *
 * @see O'Neill 2014, https://www.pcg-random.org/paper.html; NumPy `SeedSequence` and `Generator`
 */
export class Pcg64 {
  /** state[0..3] and increment[4..7], least significant limb first. */
  readonly #limbs = new Int32Array(8);
  /** Outputs made ahead, each as its low and its high half, in the order in which NumPy hands out 32-bit draws. */
  readonly #words = new Uint32Array(2 * OUTPUTS);
  /** The next of `#words`. At an odd place the high half of a begun output waits for the next 32-bit draw. */
  #next = 2 * OUTPUTS;
  /** Halves of the last whole output taken. */
  #high = 0;
  #low = 0;

  /**
   * @param seed  a whole number >= 0 of any size, or its 32-bit words, least significant first
   * @throws {InputError} when the seed is negative or not whole
   */
  constructor(seed: bigint | number | Uint32Array) {
    this.reseed(seed);
  }

  /** Starts the stream of another seed, as a new generator would, without allocating one. */
  reseed(seed: bigint | number | Uint32Array): void {
    seedState(seed instanceof Uint32Array ? seed : wordsOf(seed));
    const limbs = this.#limbs;
    const w = stateWords;
    // The sequence number is doubled and made odd: the increment of the generator.
    limbs[4] = (w[6] << 1) | 1;
    limbs[5] = (w[7] << 1) | (w[6] >>> 31);
    limbs[6] = (w[4] << 1) | (w[7] >>> 31);
    limbs[7] = (w[5] << 1) | (w[4] >>> 31);
    // NumPy steps from 0, adds the initial state, and steps again: the first of these gives the increment.
    let carry = 0;
    for (let i = 0; i < 4; i++) {
      const sum: number = (limbs[4 + i] >>> 0) + w[i ^ 2] + carry;
      limbs[i] = sum | 0;
      carry = sum > 0xffffffff ? 1 : 0;
    }
    this.#make(1);
    this.#next = this.#words.length;
  }

  /**
   * Steps the state `count` times and puts the outputs into `#words`.
   *
   * A step is state = state * M + increment, modulo 2^128. What goes into a limb is summed twice: modulo 2^32 in whole
   * numbers, and as it is in floating point. Their difference over 2^32, what goes on into the next limb, is off from a
   * whole number by less than 2^-17; so with a half added, cutting to a whole number is exact.
   */
  #make(count: number): void {
    const limbs = this.#limbs;
    const words = this.#words;
    const c0 = limbs[4] >>> 0;
    const c1 = limbs[5] >>> 0;
    const c2 = limbs[6] >>> 0;
    const c3 = limbs[7];
    let a0 = limbs[0];
    let a1 = limbs[1];
    let a2 = limbs[2];
    let a3 = limbs[3];
    for (let i = 0; i < 2 * count; i += 2) {
      const u0 = a0 >>> 0;
      const u1 = a1 >>> 0;
      const u2 = a2 >>> 0;
      const low0 = (imul(a0, M0) + c0) >>> 0;
      const low1 = (imul(a0, M1) + imul(a1, M0) + c1) >>> 0;
      const low2 = (imul(a0, M2) + imul(a1, M1) + imul(a2, M0) + c2) >>> 0;
      const low3 = (imul(a0, M3) + imul(a1, M2) + imul(a2, M1) + imul(a3, M0) + c3) | 0;
      const high0 = (u0 * M0 + c0 - low0) * 2 ** -32;
      const high1 = (u0 * M1 + u1 * M0 + c1 - low1) * 2 ** -32;
      const high2 = (u0 * M2 + u1 * M1 + u2 * M0 + c2 - low2) * 2 ** -32;
      const sum1 = high0 + low1 + 0.5;
      const sum2 = floor(sum1 * 2 ** -32) + high1 + low2 + 0.5;
      const sum3 = floor(sum2 * 2 ** -32) + high2 + 0.5;
      a0 = low0 | 0;
      a1 = sum1 | 0;
      a2 = sum2 | 0;
      a3 = ((sum3 | 0) + low3) | 0;
      // Output: the halves of the state xor-ed, rotated to the right by the top six bits. The topmost of these swaps the
      // halves of the result; a branch on it would be guessed wrong every other time.
      const unlike = (a3 ^ a2 ^ a1 ^ a0) & (a3 >> 31);
      const high = a3 ^ a1 ^ unlike;
      const low = a2 ^ a0 ^ unlike;
      const right = (a3 >>> 26) & 31;
      // Twice to the left, because JavaScript takes a shift by 32 for one by 0.
      words[i] = (low >>> right) | ((high << 1) << (31 - right));
      words[i + 1] = (high >>> right) | ((low << 1) << (31 - right));
    }
    limbs[0] = a0;
    limbs[1] = a1;
    limbs[2] = a2;
    limbs[3] = a3;
  }

  /** The next 64 bits. A half kept by `nextUint32` stays kept, as in NumPy. */
  nextUint64(): bigint {
    this.#takeWhole();
    return (BigInt(this.#high) << 32n) | BigInt(this.#low);
  }

  /** The next 32 bits, in [0, 2^32): the low half of a 64-bit output, then its high half. */
  nextUint32(): number {
    if (this.#next === this.#words.length) {
      this.#make(OUTPUTS);
      this.#next = 0;
    }
    return this.#words[this.#next++];
  }

  /** A double in [0, 1) with 53 random bits, as NumPy's `random()`. */
  nextFloat64(): number {
    this.#takeWhole();
    return (this.#high * 2 ** 21 + (this.#low >>> 11)) * 2 ** -53;
  }

  /** The next whole output into `#high` and `#low`; a waiting half is put back in front of what follows. */
  #takeWhole(): void {
    const words = this.#words;
    const half = this.#next & 1 ? words[this.#next++] : undefined;
    if (this.#next === words.length) {
      this.#make(OUTPUTS);
      this.#next = 0;
    }
    this.#low = words[this.#next++];
    this.#high = words[this.#next++];
    if (half !== undefined) words[--this.#next] = half;
  }

  /**
   * 0..n-1 in random order, as NumPy's `permutation(n)`.
   *
   * @param n  how many; with n <= 1 nothing is drawn, and n <= 0 gives an empty array
   */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: Math.max(n, 0) }, (_, i) => i);
    this.shufflePrefix(order, 0, order.length);
    return order;
  }

  /**
   * Shuffles entries [start, start + count) in place with the draws of `permutation(count)`.
   *
   * Fisher–Yates from the end, each index by masked rejection on 32-bit draws (NumPy's `random_interval`; its Lemire
   * sampler would give other orders from the same stream).
   */
  shufflePrefix(array: Int32Array, start: number, count: number): void {
    // `nextUint32` written out: its place among the words stays in a register.
    const words = this.#words;
    let next = this.#next;
    for (let i = count - 1; i > 0; i--) {
      const mask = 0xffffffff >>> clz32(i);
      let j: number;
      do {
        if (next === words.length) {
          this.#make(OUTPUTS);
          next = 0;
        }
        j = (words[next++] & mask) >>> 0;
      } while (j > i);
      const kept = array[start + i];
      array[start + i] = array[start + j];
      array[start + j] = kept;
    }
    this.#next = next;
  }

  /**
   * Whether `shufflePrefix` would put equal values into every place. Stops drawing at the first place that it would change:
   * up to there, every entry still has its value.
   */
  shuffleKeeps(array: Int32Array, start: number, count: number): boolean {
    for (let i = count - 1; i > 0; i--) {
      const mask = 0xffffffff >>> clz32(i);
      let j: number;
      do j = (this.nextUint32() & mask) >>> 0;
      while (j > i);
      if (array[start + i] !== array[start + j]) return false;
    }
    return true;
  }
}

/** 32-bit words of a whole number, least significant first; one word 0 for 0. */
function wordsOf(seed: bigint | number): Uint32Array {
  if (seed < 0 || (typeof seed === "number" && !Number.isSafeInteger(seed))) {
    throw new InputError(`seed ${seed} is not a whole number of 0 or more`);
  }
  const words: number[] = [];
  let rest = BigInt(seed);
  do {
    words.push(Number(rest & 0xffffffffn));
    rest >>= 32n;
  } while (rest > 0n);
  return Uint32Array.from(words);
}

/** The eight words NumPy asks its SeedSequence for, in order; `seedState` writes them. */
const stateWords = new Uint32Array(8);
const pool = new Uint32Array(4);

/** The changing constant of SeedSequence's hash: `count` of them, enough for seeds of up to four words. */
const hashConstants = (count: number) => powers(0x43b0d7e5, 0x931e8875, count);
const HASH = hashConstants(17);
/** The changing constant of its output. */
const OUTPUT = powers(0x8b51f9dd, 0x58f38ded, 9);

function powers(first: number, factor: number, count: number): Int32Array {
  const all = new Int32Array(count);
  all[0] = first;
  for (let i = 1; i < count; i++) all[i] = imul(all[i - 1], factor);
  return all;
}

/** The hash of a word with the n-th constant and the one after it. */
function hashed(word: number, constants: Int32Array, n: number): number {
  const value = imul(word ^ constants[n], constants[n + 1]);
  return value ^ (value >>> 16);
}

function mixed(x: number, y: number): number {
  const value = (imul(0xca01f9dd, x) - imul(0x4973f715, y)) | 0;
  return value ^ (value >>> 16);
}

/** NumPy's `SeedSequence(words).generate_state(4, uint64)`, into `stateWords`. */
function seedState(words: Uint32Array): void {
  const hash = words.length <= 4 ? HASH : hashConstants(17 + 4 * (words.length - 4));
  let n = 0;
  for (let i = 0; i < 4; i++) pool[i] = hashed(i < words.length ? words[i] : 0, hash, n++);
  for (let source = 0; source < 4; source++) {
    for (let target = 0; target < 4; target++) {
      if (source !== target) pool[target] = mixed(pool[target], hashed(pool[source], hash, n++));
    }
  }
  for (let source = 4; source < words.length; source++) {
    for (let target = 0; target < 4; target++) {
      pool[target] = mixed(pool[target], hashed(words[source], hash, n++));
    }
  }
  for (let i = 0; i < 8; i++) stateWords[i] = hashed(pool[i & 3], OUTPUT, i);
}
