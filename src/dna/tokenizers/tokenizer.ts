import type { SpecialTokens } from "./special-tokens.ts";

/** The tokens of one sequence, the model's own special tokens included, without padding. */
export interface Tokens {
  /** [tokens] */
  readonly ids: Int32Array;
  /**
   * Token i covers letters [starts[i], ends[i]) of the sequence, 0-based. Special tokens that the tokenizer adds have
   * 0, 0. Spans never overlap and never go back; a letter that no token covers was dropped (a blank).
   */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** How a language model reads DNA: letters to ids, with the span of letters that each id covers, and back. */
export interface Tokenizer {
  readonly name: string;
  readonly kind: "one-letter" | "k-mer" | "bpe";
  /** Every id that `encode` can give, and every id of `special`, is below this. An embedding table may have more rows. */
  readonly vocabularySize: number;
  readonly special: SpecialTokens;
  /** Ids put in front of, and behind, the tokens of every sequence. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /**
   * Tokens of one sequence; of the empty sequence, the added special tokens only. The result depends on the letters
   * alone, and nobody else holds its arrays.
   * @throws {InputError} when a character is not ASCII
   */
  encode(letters: string): Tokens;
  /** What an id stands for: its letters, or the name of a special token such as "[SEP]"; undefined for an unknown id. */
  token(id: number): string | undefined;
}
