import { InputError } from "./errors.ts";

/** The multiplier 0x2360ed051fc65da44385df649fccf645 of the 128-bit generator, least significant limb first. */
const M0 = 0x9fccf645;
const M1 = 0x4385df64;
const M2 = 0x1fc65da4;
const M3 = 0x2360ed05;

const { imul } = Math;

/** Upper 32 bits of the 64-bit product of two unsigned 32-bit numbers, by halves of 16 bits. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = (imul(aHigh, bLow) + (imul(aLow, bLow) >>> 16)) | 0;
  const other = (imul(aLow, bHigh) + (middle & 0xffff)) | 0;
  return (imul(aHigh, bHigh) + (middle >>> 16) + (other >>> 16)) >>> 0;
}

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
  /** The last 64-bit output. */
  #high = 0;
  #low = 0;
  /** NumPy hands out the low half of an output first and keeps the high half for the next 32-bit draw. */
  #buffered = false;
  #kept = 0;

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
    limbs[4] = (w[6]! << 1) | 1;
    limbs[5] = (w[7]! << 1) | (w[6]! >>> 31);
    limbs[6] = (w[4]! << 1) | (w[7]! >>> 31);
    limbs[7] = (w[5]! << 1) | (w[4]! >>> 31);
    limbs.fill(0, 0, 4);
    this.#step();
    let carry = 0;
    for (let i = 0; i < 4; i++) {
      const sum: number = (limbs[i]! >>> 0) + w[i ^ 2]! + carry;
      limbs[i] = sum | 0;
      carry = sum > 0xffffffff ? 1 : 0;
    }
    this.#step();
    this.#buffered = false;
  }

  /** state = state * M + increment, modulo 2^128. */
  #step(): void {
    const limbs = this.#limbs;
    const a0 = limbs[0]!;
    const a1 = limbs[1]!;
    const a2 = limbs[2]!;
    const a3 = limbs[3]!;
    // Column sums stay below 2^36, so doubles hold them exactly.
    const sum0 = (imul(a0, M0) >>> 0) + (limbs[4]! >>> 0);
    const sum1 =
      (sum0 > 0xffffffff ? 1 : 0) +
      mulHigh(a0, M0) +
      (imul(a0, M1) >>> 0) +
      (imul(a1, M0) >>> 0) +
      (limbs[5]! >>> 0);
    const limb1 = sum1 | 0;
    const sum2 =
      (sum1 - (limb1 >>> 0)) * 2 ** -32 +
      mulHigh(a0, M1) +
      mulHigh(a1, M0) +
      (imul(a0, M2) >>> 0) +
      (imul(a1, M1) >>> 0) +
      (imul(a2, M0) >>> 0) +
      (limbs[6]! >>> 0);
    const limb2 = sum2 | 0;
    limbs[3] =
      (sum2 - (limb2 >>> 0)) * 2 ** -32 +
      mulHigh(a0, M2) +
      mulHigh(a1, M1) +
      mulHigh(a2, M0) +
      imul(a0, M3) +
      imul(a1, M2) +
      imul(a2, M1) +
      imul(a3, M0) +
      limbs[7]!;
    limbs[0] = sum0 | 0;
    limbs[1] = limb1;
    limbs[2] = limb2;
  }

  /** One 64-bit output into `#high` and `#low`: both halves of the state xor-ed, rotated by the top six bits. */
  #draw(): void {
    this.#step();
    const limbs = this.#limbs;
    const rotate = limbs[3]! >>> 26;
    let high = limbs[3]! ^ limbs[1]!;
    let low = limbs[2]! ^ limbs[0]!;
    if (rotate & 32) {
      const swap = high;
      high = low;
      low = swap;
    }
    const right = rotate & 31;
    // A shift by 32 is a shift by 0 in JavaScript: with right = 0 the two halves are left as they are.
    const left = 32 - right;
    this.#high = right === 0 ? high : (high >>> right) | (low << left);
    this.#low = right === 0 ? low : (low >>> right) | (high << left);
  }

  /** The next 64 bits. A half kept by `nextUint32` stays kept, as in NumPy. */
  nextUint64(): bigint {
    this.#draw();
    return (BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0);
  }

  /** The next 32 bits, in [0, 2^32): the low half of a 64-bit output, then its high half. */
  nextUint32(): number {
    if (this.#buffered) {
      this.#buffered = false;
      return this.#kept >>> 0;
    }
    this.#draw();
    this.#buffered = true;
    this.#kept = this.#high;
    return this.#low >>> 0;
  }

  /** A double in [0, 1) with 53 random bits, as NumPy's `random()`. */
  nextFloat64(): number {
    this.#draw();
    return ((this.#high >>> 0) * 2 ** 21 + (this.#low >>> 11)) * 2 ** -53;
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
    for (let i = count - 1; i > 0; i--) {
      const mask = 0xffffffff >>> Math.clz32(i);
      let j = this.nextUint32() & mask;
      while (j > i) j = this.nextUint32() & mask;
      const kept = array[start + i]!;
      array[start + i] = array[start + j]!;
      array[start + j] = kept;
    }
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

// Scratch of `seedState`: seeding runs once per row, so its arrays are made once.
const pool = new Uint32Array(4);
/** The eight words NumPy asks its SeedSequence for, in order. */
const stateWords = new Uint32Array(8);

/** NumPy's `SeedSequence(words).generate_state(4, uint64)`, into `stateWords`. */
function seedState(words: Uint32Array): void {
  let constant = 0x43b0d7e5;
  const hash = (word: number): number => {
    let value = word ^ constant;
    constant = imul(constant, 0x931e8875);
    value = imul(value, constant);
    return value ^ (value >>> 16);
  };
  const mix = (x: number, y: number): number => {
    const value = (imul(0xca01f9dd, x) - imul(0x4973f715, y)) | 0;
    return value ^ (value >>> 16);
  };
  for (let i = 0; i < 4; i++) pool[i] = hash(i < words.length ? words[i]! : 0);
  for (let source = 0; source < 4; source++) {
    for (let target = 0; target < 4; target++) {
      if (source !== target) pool[target] = mix(pool[target]!, hash(pool[source]!));
    }
  }
  for (let source = 4; source < words.length; source++) {
    for (let target = 0; target < 4; target++) pool[target] = mix(pool[target]!, hash(words[source]!));
  }
  let key = 0x8b51f9dd;
  for (let i = 0; i < 8; i++) {
    let value = pool[i & 3]! ^ key;
    key = imul(key, 0x58f38ded);
    value = imul(value, key);
    stateWords[i] = value ^ (value >>> 16);
  }
}
