import { letterTokenizer } from "./letter-table.ts";
import type { SpecialTokens } from "./special-tokens.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** The table that Caduceus took over from HyenaDNA; a token's id is its place. */
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

/** HyenaDNA's tokenizer, as in the `-hf` checkpoints: a lower-case letter is unknown. */
export function hyenadnaTokenizer(): Tokenizer {
  return oneLetterTokenizer("hyenadna", (letter) => letter);
}

/** Caduceus' tokenizer: HyenaDNA's, but letters are made upper case first. */
export function caduceusTokenizer(): Tokenizer {
  return oneLetterTokenizer("caduceus", (letter) => letter.toUpperCase());
}

/**
 * One token for each letter, then [SEP]; nothing in front, although the table has a [CLS] and a [BOS]. N is a token like
 * the bases; any other character is [UNK], and so is each character of a special token's name written in the text.
 */
function oneLetterTokenizer(name: string, read: (letter: string) => string): Tokenizer {
  return letterTokenizer({
    name,
    idOf(character) {
      const id = VOCABULARY.indexOf(read(character) as (typeof VOCABULARY)[number]);
      return id < 0 ? undefined : id;
    },
    vocabularySize: VOCABULARY.length,
    special,
    before: [],
    after: [SEP],
    token: (id) => VOCABULARY[id],
  });
}
