import { InputError, InternalError } from "./errors.ts";

const SIZE = 624;
const SHIFT = 397;
const { imul } = Math;

/**
 * Mersenne Twister MT19937: NumPy's older generator (`numpy.random.seed`) and CPython's `random`.
 *
 * @see Matsumoto & Nishimura 1998, doi:10.1145/272991.272995
 */
export class Mt19937 {
  readonly #state: Uint32Array;
  #next = SIZE;

  private constructor(state: Uint32Array) {
    this.#state = state;
  }

  /** `init_genrand`: seeding of `numpy.random.seed` with a 32-bit seed. */
  static fromSeed(seed: number): Mt19937 {
    return new Mt19937(initialState(seed));
  }

  /** `init_by_array`: seeding of CPython with the 32-bit words of a seed, least significant first. */
  static fromKey(key: ArrayLike<number>): Mt19937 {
    if (key.length === 0) throw new InternalError("a Mersenne Twister key has no words");
    const state = initialState(19650218);
    let i = 1;
    let j = 0;
    const previous = () => state[i - 1] ^ (state[i - 1] >>> 30);
    const advance = () => {
      if (++i === SIZE) {
        state[0] = state[SIZE - 1];
        i = 1;
      }
    };
    for (let k = Math.max(SIZE, key.length); k > 0; k--) {
      state[i] = (state[i] ^ imul(previous(), 1664525)) + key[j] + j;
      advance();
      j = (j + 1) % key.length;
    }
    for (let k = SIZE - 1; k > 0; k--) {
      state[i] = (state[i] ^ imul(previous(), 1566083941)) - i;
      advance();
    }
    state[0] = 0x80000000;
    return new Mt19937(state);
  }

  /** The next 32 bits, in [0, 2^32). */
  nextUint32(): number {
    if (this.#next === SIZE) this.#twist();
    let y = this.#state[this.#next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #twist(): void {
    const state = this.#state;
    for (let k = 0; k < SIZE; k++) {
      const y = (state[k] & 0x80000000) | (state[(k + 1) % SIZE] & 0x7fffffff);
      state[k] = state[(k + SHIFT) % SIZE] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }
}

/** Initial state for a 32-bit seed (Knuth's multiplicative generator). */
function initialState(seed: number): Uint32Array {
  const state = new Uint32Array(SIZE);
  state[0] = seed;
  for (let i = 1; i < SIZE; i++) {
    const before = state[i - 1];
    state[i] = imul(before ^ (before >>> 30), 1812433253) + i;
  }
  return state;
}

/**
 * Integer in [low, high), equal to `numpy.random.randint(low, high)`: masked rejection on 32-bit outputs.
 * A range of one integer draws nothing.
 */
export function legacyRandint(rng: Mt19937, low: number, high: number): number {
  const span = high - low - 1;
  if (!(span >= 0 && span < 2 ** 32)) throw new InternalError(`no 32-bit range [${low}, ${high})`);
  if (span === 0) return low;
  const mask = 0xffffffff >>> Math.clz32(span);
  let drawn = (rng.nextUint32() & mask) >>> 0;
  while (drawn > span) drawn = (rng.nextUint32() & mask) >>> 0;
  return low + drawn;
}

/** `numpy.random.choice([True, False])`: true for an even output. */
export function legacyChoice2(rng: Mt19937): boolean {
  return legacyRandint(rng, 0, 2) === 0;
}

/** CPython's `random.Random(seed)` for integer seeds: the same stream and the same shuffles. */
export class CPythonRandom {
  readonly #twister: Mt19937;

  /** @throws {InputError} when the seed is not an integer; its sign is ignored, as in CPython */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) throw new InputError(`seed ${seed} is not an integer`);
    const size = Math.abs(seed);
    const high = Math.floor(size / 2 ** 32);
    this.#twister = Mt19937.fromKey(high === 0 ? [size] : [size >>> 0, high]);
  }

  /** `getrandbits(32)`. */
  nextUint32(): number {
    return this.#twister.nextUint32();
  }

  /** Integer in [0, n), n in 1..2^31: the top bits of an output, rejected while too large. */
  randbelow(n: number): number {
    if (!(Number.isInteger(n) && n >= 1 && n <= 2 ** 31)) {
      throw new InputError(`cannot draw below ${n}: expected an integer from 1 to 2^31`);
    }
    const discarded = Math.clz32(n);
    let drawn = this.nextUint32() >>> discarded;
    while (drawn >= n) drawn = this.nextUint32() >>> discarded;
    return drawn;
  }

  /** `random.shuffle`: in-place Fisher–Yates from the end. */
  shuffle<T>(array: T[]): void {
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.randbelow(i + 1);
      const kept = array[i];
      array[i] = array[j];
      array[j] = kept;
    }
  }
}
