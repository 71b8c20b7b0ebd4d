import { InputError } from "../../base/errors.ts";

/** Longest context: order 11 keeps 4^12 counters, which take 440 MB while fitting. Each further order would take four times that. */
const HIGHEST_ORDER = 11;

/** 2-bit codes A 0, C 1, G 2, T 3 of ASCII letters in either case; 4 for anything else. */
export const BASE_CODES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const code = "ACGT".indexOf(String.fromCharCode(byte).toUpperCase());
  return code < 0 ? 4 : code;
});

/** How often each letter followed each context, for contexts of 0 to `order` letters. */
export interface ContextCounts {
  readonly order: number;
  /** Letters A, C, G, T that were read, on one strand. */
  readonly bases: number;
  /**
   * levels[j] holds the counts of all words of j + 1 letters, [4^(j+1)]: j letters of context, then the letter.
   * A word is a number in base 4, first letter most significant. Both strands are counted.
   */
  readonly levels: readonly Float64Array[];
}

/**
 * Counts words of DNA as chromosomes stream by.
 *
 * Anything but A, C, G, T ends a context. The first `order` letters after such a break (and of each chromosome)
 * have no full context: they are counted at the length they have, so every letter is counted once per level
 * that fits before it, and no chromosome is too short to learn from.
 */
export class ContextCounter {
  readonly #order: number;
  /** Full-length words of the given strand. Total at most 2^32 - 1, so no counter can overflow. */
  readonly #words: Uint32Array;
  /** starts[j]: words of j + 1 letters that begin a stretch, either strand. */
  readonly #starts: readonly Uint32Array[];
  #bases = 0;

  /** @throws {InputError} unless order is a whole number from 0 to 11 */
  constructor(order: number) {
    if (!Number.isInteger(order) || order < 0 || order > HIGHEST_ORDER) {
      throw new InputError(
        `order ${order} of a Markov model is not a whole number from 0 to ${HIGHEST_ORDER}`,
        {
          hint: "Order k looks at the k letters before each letter; 5 is a good start.",
        },
      );
    }
    this.#order = order;
    this.#words = new Uint32Array(4 ** (order + 1));
    this.#starts = Array.from({ length: order }, (_, j) => new Uint32Array(4 ** (j + 1)));
  }

  /**
   * @param letters  ASCII bytes of one chromosome, either case
   * @throws {InputError} when more than 2^32 - 1 letters were given in all
   */
  add(letters: Uint8Array): void {
    if (this.#bases + letters.length > 0xffff_ffff) {
      throw new InputError("more than 4,294,967,295 letters of DNA to count", {
        hint: "Train on fewer chromosomes.",
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

  /** A stretch's last letters are the first of its other strand. */
  #endStretch(word: number, length: number): void {
    this.#bases += length;
    for (let j = 0; j < Math.min(length, this.#order); j++) {
      const last = word & (4 ** (j + 1) - 1);
      this.#starts[j][reverseComplementWord(last, j + 1)]++;
    }
  }

  /** Counts of both strands, shorter contexts by leaving out first letters. */
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

/** Reverse complement of a word of `length` letters, as a number in base 4; at most 16 letters. */
export function reverseComplementWord(word: number, length: number): number {
  let w = ~word; // A 0 <-> T 3, C 1 <-> G 2
  w = ((w >>> 2) & 0x3333_3333) | ((w & 0x3333_3333) << 2);
  w = ((w >>> 4) & 0x0f0f_0f0f) | ((w & 0x0f0f_0f0f) << 4);
  w = ((w >>> 8) & 0x00ff_00ff) | ((w & 0x00ff_00ff) << 8);
  w = (w >>> 16) | (w << 16);
  return w >>> (32 - 2 * length);
}
