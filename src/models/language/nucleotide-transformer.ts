import { z } from "zod";
import { openTokenizer } from "../../dna/tokenizers/open-tokenizer.ts";
import { parseConfig } from "./architecture.ts";
import { bertSizes, HEADS_FIT } from "./blocks/bert.ts";
import { esmArchitecture } from "./blocks/esm.ts";
import type { LanguageModelCard } from "./card.ts";
import { nucleotideTransformerCheckpoints } from "./published-checkpoints/nucleotide-transformer.ts";

const common = {
  ...bertSizes,
  emb_layer_norm_before: z.literal(false),
  tie_word_embeddings: z.literal(false),
  pad_token_id: z.number().int().min(0),
  mask_token_id: z.number().int().min(0),
};
/** Second generation (v2): rotary positions, gated feed-forward layers. */
const second = z.object({
  ...common,
  position_embedding_type: z.literal("rotary"),
  token_dropout: z.literal(false),
  add_bias_fnn: z.literal(false),
});
/** First generation: learned absolute positions, plain feed-forward layers. */
const first = z.object({
  ...common,
  position_embedding_type: z.literal("absolute"),
  token_dropout: z.literal(true),
});

const schema = z
  .discriminatedUnion("position_embedding_type", [first, second])
  .refine(...HEADS_FIT)
  .refine(
    (c) => c.position_embedding_type === "absolute" || (c.hidden_size / c.num_attention_heads) % 2 === 0,
    {
      path: ["num_attention_heads"],
      error: "expected heads of even width, as rotary positions need",
    },
  );

function architecture(config: unknown, file: string) {
  const c = parseConfig(schema, config, file);
  const second = c.position_embedding_type === "rotary";
  return esmArchitecture(c, { gated: second, unusedPositions: second });
}

export const nucleotideTransformer: LanguageModelCard = {
  name: "nucleotide-transformer",
  title: "Nucleotide Transformer",
  publishedAs: "NT",
  kind: "masked",
  tokens: "k-mer",
  toy: true,
  cite: "Dalla-Torre et al. 2025, doi:10.1038/s41592-024-02523-z",
  licence: "CC-BY-NC-SA-4.0",
  recognises: (config) =>
    config.add_bias_fnn === false ||
    (config.model_type === "esm" &&
      config.position_embedding_type === "absolute" &&
      config.token_dropout === true &&
      config.emb_layer_norm_before === false &&
      config.tie_word_embeddings === false),
  architecture,
  tokenizer: openTokenizer,
  ...nucleotideTransformerCheckpoints,
};
