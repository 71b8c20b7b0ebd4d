import type { Tokenizer } from "../../src/dna/tokenizers/tokenizer.ts";
import type { LanguageModelCard } from "../../src/models/language/card.ts";
import { dnabert2 } from "../../src/models/language/dnabert2.ts";
import { genaLm } from "../../src/models/language/gena-lm.ts";
import { nucleotideTransformer } from "../../src/models/language/nucleotide-transformer.ts";
import { hashedWeights } from "./hashed-weights.ts";
import { tinyQuery } from "./tiny-query.ts";

const sizes = {
  vocab_size: 24,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 40,
  max_position_embeddings: 64,
  layer_norm_eps: 1e-12,
};
const bert = { ...sizes, type_vocab_size: 2, hidden_act: "gelu" };
const esm = {
  ...sizes,
  emb_layer_norm_before: false,
  tie_word_embeddings: false,
  pad_token_id: 1,
  mask_token_id: 2,
};
const bertSpecial = { special: { cls: 1, sep: 2, pad: 3, mask: 4 }, before: [1], after: [2] };
const esmSpecial = { special: { cls: 3, pad: 1, mask: 2 }, before: [3], after: [] };

type Special = Pick<Tokenizer, "special" | "before" | "after">;

/** Every masked encoder of the catalogue at a size for tests: family, card, config.json, special tokens. */
export const TINY_ENCODERS: readonly (readonly [
  string,
  LanguageModelCard,
  Readonly<Record<string, unknown>>,
  Special,
])[] = [
  ["DNABERT-2", dnabert2, { ...bert, alibi_starting_size: 4 }, bertSpecial],
  ["GENA-LM large", genaLm, { ...bert, pre_layer_norm: true }, bertSpecial],
  ["GENA-LM base", genaLm, { ...bert, pre_layer_norm: true, last_layer_norm: false }, bertSpecial],
  [
    "Nucleotide Transformer v2",
    nucleotideTransformer,
    { ...esm, position_embedding_type: "rotary", token_dropout: false, add_bias_fnn: false },
    esmSpecial,
  ],
  [
    "Nucleotide Transformer v1",
    nucleotideTransformer,
    { ...esm, position_embedding_type: "absolute", token_dropout: true },
    esmSpecial,
  ],
];

export function tinyEncoder([, card, config, special]: (typeof TINY_ENCODERS)[number]) {
  const model = card.architecture(config, "config.json");
  return tinyQuery(model, hashedWeights(model.tensors), special);
}
