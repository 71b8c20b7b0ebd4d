import { InputError } from "../../base/errors.ts";

/** Tokens of one sequence, including special tokens, without padding. */
export interface Tokens {
  /** [tokens] */
  readonly ids: Int32Array;
  /**
   * Token i covers positions [starts[i], ends[i]) of the sequence, 0-based. Added special tokens have the
   * span 0, 0. Spans are ascending and disjoint; positions without a token are dropped whitespace.
   */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /**
   * Present if the last token before `after` stands for bases that are too few for a k-mer: ids of the k-mers
   * that begin with these bases.
   */
  readonly remainder?: Int32Array;
}

/** Tokenizer of a DNA language model: sequence to token ids with their spans, and back. */
export interface Tokenizer {
  readonly name: string;
  readonly kind: "one-letter" | "k-mer" | "bpe";
  /** Upper bound of the ids of `encode` and `special`. An embedding may have more rows. */
  readonly vocabularySize: number;
  readonly special: SpecialTokens;
  /** Ids added before and after the tokens of every sequence. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Present if tokens overlap; spans are disjoint nevertheless. */
  readonly overlap?: Overlap;
  /**
   * Tokens of one sequence; only the added special tokens for the empty sequence. Deterministic; returns new
   * arrays.
   * @throws {InputError} when a character is not ASCII
   */
  encode(sequence: string): Tokens;
  /**
   * Text of a token: its bases, or the name of a special token such as "[SEP]"; undefined for an unknown id.
   */
  token(id: number): string | undefined;
}

/** Overlapping tokens: all have k bases, and neighbours start one base apart. */
export interface Overlap {
  readonly k: number;
  /** Ids of the k-mers with a base at an offset: the base's ASCII code, offset 0 to k − 1. */
  kmersWith(base: number, offset: number): Int32Array;
}

/** Ids of special tokens, as far as the files of a model define them. */
export interface SpecialTokens {
  /** Padding of short rows in a batch. */
  readonly pad?: number;
  /** Mask of a masked language model. */
  readonly mask?: number;
  readonly cls?: number;
  readonly sep?: number;
  /** Characters outside the vocabulary. */
  readonly unk?: number;
  readonly bos?: number;
  readonly eos?: number;
}

const ROLES = ["pad", "mask", "cls", "sep", "unk", "bos", "eos"] as const;

/**
 * Special tokens from `pad_token`, `mask_token` … of `tokenizer_config.json` and `special_tokens_map.json`. A
 * role without an entry defaults to `[PAD]` or `<pad>` and so on. Names outside the vocabulary are omitted.
 *
 * @param files  contents of those files in order of precedence
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

/** Text of a token: a string in older files, an object with `content` in newer ones. */
function nameOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null && "content" in value) return nameOf(value.content);
  return undefined;
}

/**
 * Refuses characters outside ASCII, whose offsets programs count differently (bytes, code units, code
 * points).
 *
 * @throws {InputError} naming the first such character
 */
export function requireAscii(sequence: string): void {
  for (let i = 0; i < sequence.length; i++) {
    if (sequence.charCodeAt(i) < 128) continue;
    const [character] = sequence.slice(i);
    throw new InputError(
      `${JSON.stringify(character)} at position ${i} of a sequence is not an ASCII character`,
    );
  }
}
