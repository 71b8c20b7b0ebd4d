import { z } from "zod";
import { nucleotideTransformerVocabulary } from "../../dna/tokenizers/k-mer.ts";
import { parseConfig } from "./architecture.ts";
import { bertSizes, HEADS_FIT } from "./blocks/bert.ts";
import { esmArchitecture } from "./blocks/esm.ts";
import { architectureCard, tokenizerFilesOfSize } from "./card.ts";

const schema = z
  .object({
    ...bertSizes,
    layer_norm_eps: bertSizes.layer_norm_eps.default(1e-12),
    position_embedding_type: z.enum(["absolute", "rotary"]).default("absolute"),
    token_dropout: z.boolean().default(false),
    emb_layer_norm_before: z
      .boolean()
      .nullish()
      .transform((norm) => norm ?? false),
    tie_word_embeddings: z.boolean().default(true),
    pad_token_id: z.number().int().min(0),
    mask_token_id: z.number().int().min(0),
    is_folding_model: z.literal(false).default(false),
  })
  .refine(...HEADS_FIT)
  .refine(
    (c) => c.position_embedding_type === "absolute" || (c.hidden_size / c.num_attention_heads) % 2 === 0,
    {
      path: ["num_attention_heads"],
      error: "expected heads of even width, as rotary positions need",
    },
  );

const architecture = (config: unknown, file: string) =>
  esmArchitecture(parseConfig(schema, config, file), { gated: false, unusedPositions: false });

const toyTokens = nucleotideTransformerVocabulary(1, 3);

export const esm = architectureCard({
  name: "esm",
  title: "ESM",
  kind: "masked",
  cite: "Lin et al. 2023, doi:10.1126/science.ade2574",
  modelTypes: ["esm"],
  architecture,
  tokenizerFiles: tokenizerFilesOfSize(toyTokens.length, { "vocab.txt": toyTokens.join("\n") }),
  toy: {
    architectures: ["EsmForMaskedLM"],
    model_type: "esm",
    emb_layer_norm_before: false,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
    hidden_size: 32,
    initializer_range: 0.02,
    intermediate_size: 64,
    layer_norm_eps: 1e-5,
    mask_token_id: 2,
    max_position_embeddings: 514,
    num_attention_heads: 4,
    num_hidden_layers: 2,
    pad_token_id: 1,
    position_embedding_type: "rotary",
    token_dropout: true,
    vocab_size: toyTokens.length,
  },
});
