import { InputError } from "./errors.ts";
import { Mt19937 } from "./mt19937.ts";

/** CPython's `random.Random(seed)` for whole-number seeds: the same stream, so the same shuffles. */
export class CPythonRandom {
  readonly #twister: Mt19937;

  /** @throws {InputError} when the seed is not a whole number; its sign is ignored, as in CPython */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) throw new InputError(`seed ${seed} is not a whole number`);
    const size = Math.abs(seed);
    const high = Math.floor(size / 2 ** 32);
    this.#twister = Mt19937.fromKey(high === 0 ? [size] : [size >>> 0, high]);
  }

  /** `getrandbits(32)`. */
  nextUint32(): number {
    return this.#twister.nextUint32();
  }

  /** A whole number in [0, n), n in 1..2^31: as many top bits as n has, redrawn while too large. */
  randbelow(n: number): number {
    if (!(Number.isInteger(n) && n >= 1 && n <= 2 ** 31)) {
      throw new InputError(`cannot draw below ${n}: a whole number from 1 to 2^31 is needed`);
    }
    const discarded = Math.clz32(n);
    let drawn = this.nextUint32() >>> discarded;
    while (drawn >= n) drawn = this.nextUint32() >>> discarded;
    return drawn;
  }

  /** `random.shuffle`: in place, from the end. */
  shuffle<T>(array: T[]): void {
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.randbelow(i + 1);
      const kept = array[i]!;
      array[i] = array[j]!;
      array[j] = kept;
    }
  }
}
