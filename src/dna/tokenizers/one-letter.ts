import { InputError } from "../../base/errors.ts";
import {
  readSpecialTokens,
  requireAscii,
  type SpecialTokens,
  type Tokenizer,
  type Tokens,
} from "./tokenizer.ts";

/** Vocabulary of HyenaDNA and Caduceus; the id of a token is its index. */
const VOCABULARY = [
  "[CLS]",
  "[SEP]",
  "[BOS]",
  "[MASK]",
  "[PAD]",
  "[RESERVED]",
  "[UNK]",
  "A",
  "C",
  "G",
  "T",
  "N",
] as const;

const idOf = (token: (typeof VOCABULARY)[number]) => VOCABULARY.indexOf(token);
const SEP = idOf("[SEP]");
const special: SpecialTokens = {
  pad: idOf("[PAD]"),
  mask: idOf("[MASK]"),
  cls: idOf("[CLS]"),
  sep: SEP,
  unk: idOf("[UNK]"),
  bos: idOf("[BOS]"),
  eos: SEP,
};

/** HyenaDNA's tokenizer, as in the `-hf` checkpoints: lower-case letters are unknown. */
export function hyenadnaTokenizer(): Tokenizer {
  return oneLetterTokenizer("hyenadna", (letter) => letter);
}

/** Caduceus' tokenizer: HyenaDNA's after conversion to upper case. */
export function caduceusTokenizer(): Tokenizer {
  return oneLetterTokenizer("caduceus", (letter) => letter.toUpperCase());
}

/**
 * One token per character, then [SEP]; nothing in front, although the vocabulary has [CLS] and [BOS]. N is a
 * token like the bases. Any other character is [UNK], including those of a special token written in the text.
 */
function oneLetterTokenizer(name: string, normalize: (character: string) => string): Tokenizer {
  const characters: readonly string[] = VOCABULARY;
  return letterTokenizer({
    name,
    idOf(character) {
      const id = characters.indexOf(normalize(character));
      return id < 0 ? undefined : id;
    },
    vocabularySize: VOCABULARY.length,
    special,
    before: [],
    after: [SEP],
    token: (id) => VOCABULARY[id],
  });
}

/**
 * Tokenizer of Evo: one token per character, whose id is its ASCII code. Padding has the id 1.
 *
 * @param start  true puts the end-of-document token, 0, before a sequence, as Evo 1's authors do to score it
 */
export function evoTokenizer({ start }: { readonly start: boolean }): Tokenizer {
  const [eod, pad] = [0, 1];
  return letterTokenizer({
    name: "evo",
    idOf: (character) => character.charCodeAt(0),
    vocabularySize: 128,
    special: { pad, bos: eod, eos: eod },
    before: start ? [eod] : [],
    after: [],
    token: (id) => ["[EOD]", "[PAD]"][id] ?? (id < 128 ? String.fromCharCode(id) : undefined),
  });
}

/** True for the lines of a vocabulary with BERT's special tokens and single bases. */
export const isBertLetterVocabulary = (lines: readonly string[]): boolean =>
  ["[UNK]", "[CLS]", "[SEP]", ..."ACGT"].every((token) => lines.includes(token)) &&
  lines.every((line) => /^(\[\w+\]|[A-Z])$/.test(line));

/**
 * Tokenizer of a BERT with single bases, such as SpliceBERT: [CLS], one token per character, [SEP]. The ids
 * are the indices of the lines.
 */
export function bertLetterTokenizer(name: string, lines: readonly string[]): Tokenizer {
  const idOf = (token: string) => (lines.includes(token) ? lines.indexOf(token) : undefined);
  return letterTokenizer({
    name,
    idOf,
    vocabularySize: lines.length,
    special: readSpecialTokens(new Map(lines.map((line, id) => [line, id])), []),
    before: [lines.indexOf("[CLS]")],
    after: [lines.indexOf("[SEP]")],
    token: (id) => lines[id],
  });
}

/** A character-level vocabulary. */
export interface LetterTable {
  readonly name: string;
  /** Id of a character; unknown characters get `special.unk` if it is defined. */
  readonly idOf: (character: string) => number | undefined;
  readonly vocabularySize: number;
  readonly special: SpecialTokens;
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Text of a token, the inverse of `idOf`; undefined for an unknown id. */
  readonly token: (id: number) => string | undefined;
}

/**
 * A character-level tokenizer: one token per character, between the special tokens of every sequence.
 *
 * @throws {InputError} (from `encode`) when a character is not in the vocabulary and there is no unknown
 *   token
 */
export function letterTokenizer({ idOf, ...table }: LetterTable): Tokenizer {
  const { name, special, before, after } = table;
  const ids = Int32Array.from(
    { length: 128 },
    (_, code) => idOf(String.fromCharCode(code)) ?? special.unk ?? -1,
  );
  const ends = before.length + after.length;

  function encode(sequence: string): Tokens {
    requireAscii(sequence);
    const n = sequence.length;
    const length = n + ends;
    const tokens = {
      ids: new Int32Array(length),
      starts: new Int32Array(length),
      ends: new Int32Array(length),
    };
    tokens.ids.set(before);
    for (let i = 0, at = before.length; i < n; i++, at++) {
      const id = ids[sequence.charCodeAt(i)];
      if (id < 0) {
        throw new InputError(
          `letter ${JSON.stringify(sequence[i])} at position ${i} is not in the vocabulary of ${name}`,
        );
      }
      tokens.ids[at] = id;
      tokens.starts[at] = i;
      tokens.ends[at] = i + 1;
    }
    tokens.ids.set(after, before.length + n);
    return tokens;
  }

  return { kind: "one-letter", encode, ...table };
}
