import { type TokenizerFilesOf, tokenizerFilesOfSize } from "../card.ts";

/**
 * Tokens of 350 bases with DNABERT-2's byte pairs, which Mistral-DNA shares: the mean of 2,000 windows of
 * human chromosome 20.
 */
export const BYTE_PAIRS_OF_350 = 71;

/** A rule-based byte-pair tokenizer, for models too small for a published vocabulary. */
export interface ToyBytePairs {
  /** Contents of a `tokenizer.json`. */
  readonly json: string;
  readonly vocabularySize: number;
  /** Its `tokenizer.json` for configurations with a vocabulary of this size. */
  readonly tokenizerFiles: TokenizerFilesOf;
}

const SPECIALS = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"];
const BASES = ["A", "C", "G", "T"];

/**
 * Tokens of one, two and four bases: every pair of bases merges, then every two pairs. Special tokens, at
 * both ends, are as in DNABERT-2, GENA-LM and Mistral-DNA; with the same merges a sequence has about a third
 * as many tokens as bases, and their number varies between sequences as in these models.
 *
 * @param others  further tokens of a family, after the special ones
 */
export function toyBytePairs(others: readonly string[]): ToyBytePairs {
  const join = (left: readonly string[], right: readonly string[]) =>
    left.flatMap((a) => right.map((b): readonly [string, string] => [a, b]));
  const pairs = join(BASES, BASES);
  const two = pairs.map((parts) => parts.join(""));
  const fours = join(two, two);
  const four = fours.map((parts) => parts.join(""));
  const tokens = [...SPECIALS, ...others, ...BASES, ...two, ...four];
  const added = (content: string, id: number) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const special = (name: string) => ({ id: name, ids: [SPECIALS.indexOf(name)], tokens: [name] });
  const document = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: SPECIALS.map(added),
    normalizer: null,
    pre_tokenizer: { type: "Whitespace" },
    post_processor: {
      type: "TemplateProcessing",
      single: [
        { SpecialToken: { id: "[CLS]", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { SpecialToken: { id: "[SEP]", type_id: 0 } },
      ],
      pair: [],
      special_tokens: { "[CLS]": special("[CLS]"), "[SEP]": special("[SEP]") },
    },
    decoder: null,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: "[UNK]",
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: [...pairs, ...fours].map((parts) => parts.join(" ")),
    },
  };
  const json = `${JSON.stringify(document)}\n`;
  return {
    json,
    vocabularySize: tokens.length,
    tokenizerFiles: tokenizerFilesOfSize(tokens.length, { "tokenizer.json": json }),
  };
}
