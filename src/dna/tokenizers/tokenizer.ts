import { InputError } from "../../base/errors.ts";

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

/** Ids of the tokens that stand for no base, as far as a model's files name them. */
export interface SpecialTokens {
  /** Fills short rows of a batch. */
  readonly pad?: number;
  /** Hides a token that a masked model is to guess. */
  readonly mask?: number;
  readonly cls?: number;
  readonly sep?: number;
  /** Stands for letters that are not in the vocabulary. */
  readonly unk?: number;
  readonly bos?: number;
  readonly eos?: number;
}

const ROLES = ["pad", "mask", "cls", "sep", "unk", "bos", "eos"] as const;

/**
 * Which token plays which part, from the `pad_token`, `mask_token` … of a model's `tokenizer_config.json` and
 * `special_tokens_map.json`. A part that no file gives goes to `[PAD]` or `<pad>` and so on, where the vocabulary has it.
 * A name that is not in the vocabulary has no id and stays out.
 *
 * @param files  contents of those files, the one that decides first
 */
export function readSpecialTokens(
  vocabulary: ReadonlyMap<string, number>,
  files: readonly Readonly<Record<string, unknown>>[],
): SpecialTokens {
  const special: { -readonly [role in keyof SpecialTokens]: number } = {};
  for (const role of ROLES) {
    const given = files.map((file) => nameOf(file[`${role}_token`])).find((name) => name !== undefined);
    const names = given === undefined ? [`[${role.toUpperCase()}]`, `<${role}>`] : [given];
    const id = names.map((name) => vocabulary.get(name)).find((known) => known !== undefined);
    if (id !== undefined) special[role] = id;
  }
  return special;
}

/** Older files have the token's text, newer ones an object around it. */
function nameOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null && "content" in value) return nameOf(value.content);
  return undefined;
}

/**
 * DNA is written in ASCII. Another character is a mistake in the data, and one whose spans each program would count
 * differently (bytes, code units, code points), so it gets no token.
 *
 * @throws {InputError} naming the first such character
 */
export function requireAscii(letters: string): void {
  for (let i = 0; i < letters.length; i++) {
    if (letters.charCodeAt(i) < 128) continue;
    const character = String.fromCodePoint(letters.codePointAt(i)!);
    throw new InputError(
      `${JSON.stringify(character)} at letter ${i} of a sequence is not an ASCII character`,
    );
  }
}
