import { InputError } from "../../base/errors.ts";

/**
 * Maximum order: order 11 has 4^12 counters, 440 MB while fitting. Each further order takes four times as
 * much.
 */
const MAX_ORDER = 11;

/** 2-bit codes of ASCII letters in either case: A 0, C 1, G 2, T 3; 4 for anything else. */
export const BASE_CODES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const code = "ACGT".indexOf(String.fromCharCode(byte).toUpperCase());
  return code < 0 ? 4 : code;
});

/** Counts of each base after each context of 0 to `order` bases. */
export interface ContextCounts {
  readonly order: number;
  /** Number of A, C, G and T, on one strand. */
  readonly bases: number;
  /**
   * levels[j]: counts of all (j + 1)-mers, [4^(j+1)]: j bases of context, then the base. A k-mer is a number
   * in base 4, first base most significant. Both strands are counted.
   */
  readonly levels: readonly Float64Array[];
}

/**
 * Counts k-mers of chromosomes, one chromosome at a time.
 *
 * Any letter but A, C, G, T ends a context. After it, and at the start of a chromosome, the first `order`
 * bases have shorter contexts and are counted at these lengths only. A base is thus counted once for each
 * length of context that precedes it, and short chromosomes contribute too.
 */
export class ContextCounter {
  readonly #order: number;
  /**
   * Counts of (order + 1)-mers on the given strand. Their total is at most 2^32 − 1, so no counter overflows.
   */
  readonly #words: Uint32Array;
  /** starts[j]: counts of (j + 1)-mers at the start of a stretch of known bases, on either strand. */
  readonly #starts: readonly Uint32Array[];
  #bases = 0;

  /** @throws {InputError} unless order is an integer from 0 to 11 */
  constructor(order: number) {
    if (!Number.isInteger(order) || order < 0 || order > MAX_ORDER) {
      throw new InputError(`order ${order} of a Markov model is not an integer from 0 to ${MAX_ORDER}`, {
        hint: "order k conditions each base on the k bases before it; 5 is a good start",
      });
    }
    this.#order = order;
    this.#words = new Uint32Array(4 ** (order + 1));
    this.#starts = Array.from({ length: order }, (_, j) => new Uint32Array(4 ** (j + 1)));
  }

  /**
   * Counts one chromosome.
   *
   * @param letters  ASCII bytes, either case
   * @throws {InputError} when the total exceeds 2^32 - 1 bases
   */
  add(letters: Uint8Array): void {
    if (this.#bases + letters.length > 0xffff_ffff) {
      throw new InputError("more than 4,294,967,295 bases of training data", {
        hint: "train on fewer chromosomes",
      });
    }
    const order = this.#order;
    const words = this.#words;
    const mask = words.length - 1;
    let word = 0;
    let run = 0;
    for (let i = 0; i < letters.length; i++) {
      const code = BASE_CODES[letters[i]];
      if (code === 4) {
        this.#endStretch(word, run);
        word = 0;
        run = 0;
        continue;
      }
      word = ((word << 2) | code) & mask;
      if (run >= order) words[word]++;
      else this.#starts[run][word]++;
      run++;
    }
    this.#endStretch(word, run);
  }

  /** Counts the end of a stretch as the start of its reverse complement. */
  #endStretch(word: number, length: number): void {
    this.#bases += length;
    for (let j = 0; j < Math.min(length, this.#order); j++) {
      const last = word & (4 ** (j + 1) - 1);
      this.#starts[j][reverseComplementWord(last, j + 1)]++;
    }
  }

  /** Counts of both strands. Those of shorter contexts are sums over the first bases of longer ones. */
  finish(): ContextCounts {
    const order = this.#order;
    const levels: Float64Array[] = new Array(order + 1);
    const full = new Float64Array(this.#words.length);
    for (let w = 0; w < full.length; w++) {
      full[w] = this.#words[w] + this.#words[reverseComplementWord(w, order + 1)];
    }
    levels[order] = full;
    for (let j = order - 1; j >= 0; j--) {
      const longer = levels[j + 1];
      const level = new Float64Array(this.#starts[j]);
      const n = level.length;
      for (let w = 0; w < n; w++) {
        level[w] += longer[w] + longer[n + w] + longer[2 * n + w] + longer[3 * n + w];
      }
      levels[j] = level;
    }
    return { order, bases: this.#bases, levels };
  }
}

/** Reverse complement of a k-mer of `length` bases, as a number in base 4; at most 16 bases. */
export function reverseComplementWord(word: number, length: number): number {
  let w = ~word; // A 0 <-> T 3, C 1 <-> G 2
  w = ((w >>> 2) & 0x3333_3333) | ((w & 0x3333_3333) << 2);
  w = ((w >>> 4) & 0x0f0f_0f0f) | ((w & 0x0f0f_0f0f) << 4);
  w = ((w >>> 8) & 0x00ff_00ff) | ((w & 0x00ff_00ff) << 8);
  w = (w >>> 16) | (w << 16);
  return w >>> (32 - 2 * length);
}
