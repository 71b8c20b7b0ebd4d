import { z } from "zod";
import { openTokenizer } from "../../dna/tokenizers/open-tokenizer.ts";
import { add, reshape } from "../../net/graph/build.ts";
import { multiplyDims } from "../../net/graph/dim.ts";
import { type Norm, rmsNorm } from "../../net/nn/norm.ts";
import { parseConfig, sizeSchema } from "./architecture.ts";
import {
  declareGroupedAttention,
  decoderSizes,
  GROUPS_FIT,
  type GroupedAttention,
  groupedAttention,
  HEADS_EVEN,
  headWidth,
} from "./blocks/decoder.ts";
import { addExperts, type MixtureOfExperts } from "./blocks/mixture-of-experts.ts";
import {
  beforePadding,
  lastTokenClassifier,
  type TransformerFamily,
  transformerArchitecture,
} from "./blocks/transformer.ts";
import type { LanguageModelCard } from "./card.ts";
import type { ParameterTable } from "./parameters.ts";
import { mistralDnaCheckpoints } from "./published-checkpoints/mistral-dna.ts";

// axes: b batch · t tokens · q queries · d width

/** Configuration of Mixtral: despite their name, the published models have a mixture of experts. */
const schema = z
  .object({
    ...decoderSizes,
    num_key_value_heads: sizeSchema(1024),
    num_local_experts: sizeSchema(1024),
    num_experts_per_tok: sizeSchema(1024),
    rope_theta: z.number().positive(),
    tie_word_embeddings: z.literal(false).default(false),
  })
  .refine(...GROUPS_FIT)
  .refine(...HEADS_EVEN)
  .refine((c) => c.num_experts_per_tok <= c.num_local_experts, {
    path: ["num_experts_per_tok"],
    error: "expected no more than num_local_experts",
  });

type Config = z.output<typeof schema>;

interface Layer {
  readonly attentionNorm: Norm;
  readonly attention: GroupedAttention;
  readonly expertsNorm: Norm;
  readonly experts: MixtureOfExperts;
}

/** Padding id if config.json has none: [PAD] of the published tokenizer, as in DART-Eval. */
const PAD = 3;

/** Mistral-DNA: Mixtral (Jiang et al. 2024, arXiv:2401.04088) with other sizes. */
const family = (c: Config): TransformerFamily<Layer> => ({
  width: c.hidden_size,
  layers: c.num_hidden_layers,
  vocabulary: c.vocab_size,
  maxTokens: Number.POSITIVE_INFINITY,
  liveValuesPerToken: 6 * c.hidden_size + 3 * c.intermediate_size,
  liveValuesPerPair: 2 * c.num_attention_heads + 1,
  attention: "causal",
  declare: (table) => declare(table, c),
  positions: () => ({
    rotary: { width: headWidth(c), base: c.rope_theta },
    window: c.sliding_window ?? undefined,
  }),
  /** a = x + attention(rms₁(x)); a + experts(rms₂(a)) */
  layer(p, x, context) {
    const y = rmsNorm(p.attentionNorm, x, c.rms_norm_eps);
    const a = add(context.queries.select(x), groupedAttention(p.attention, c, y, context));
    const rows = reshape(a, [multiplyDims(...a.shape.slice(0, -1)), c.hidden_size]);
    const z = rmsNorm(p.expertsNorm, rows, c.rms_norm_eps);
    const { onRouted } = context.input;
    const routing = { perToken: c.num_experts_per_tok, layer: String(context.index), onRouted };
    return reshape(addExperts(p.experts, rows, z, routing), a.shape);
  },
  lastNorm: (p, x) => rmsNorm(p, x, c.rms_norm_eps),
  ignored: [/^score\./],
  adaptedModule: "model",
  initializerRange: c.initializer_range,
  /** The classifier reads the token before the first padding token: [SEP] in rows padded on the right. */
  classifier: (labels) => lastTokenClassifier(c.hidden_size, labels, beforePadding(c.pad_token_id ?? PAD)),
});

function declare(table: ParameterTable, c: Config) {
  const d = c.hidden_size;
  const plain = { bias: false };
  const dense = (at: string, inWidth: number, outWidth: number) => table.linear(at, inWidth, outWidth, plain);
  return {
    words: table.embedding("model.embed_tokens", c.vocab_size, d),
    layers: Array.from({ length: c.num_hidden_layers }, (_, i): Layer => {
      const at = `model.layers.${i}`;
      return {
        attentionNorm: table.norm(`${at}.input_layernorm`, d, plain),
        attention: declareGroupedAttention(table, `${at}.self_attn`, c, {
          bias: false,
          outputBias: false,
          norms: false,
        }),
        expertsNorm: table.norm(`${at}.post_attention_layernorm`, d, plain),
        experts: {
          router: dense(`${at}.block_sparse_moe.gate`, d, c.num_local_experts),
          experts: Array.from({ length: c.num_local_experts }, (_, e) => {
            const its = `${at}.block_sparse_moe.experts.${e}`;
            return {
              w1: dense(`${its}.w1`, d, c.intermediate_size),
              w2: dense(`${its}.w2`, c.intermediate_size, d),
              w3: dense(`${its}.w3`, d, c.intermediate_size),
            };
          }),
        },
      };
    }),
    lastNorm: table.norm("model.norm", d, plain),
    head: c.architectures.includes("MixtralForSequenceClassification")
      ? undefined
      : dense("lm_head", d, c.vocab_size),
  };
}

const architecture = (config: unknown, file: string) =>
  transformerArchitecture(family(parseConfig(schema, config, file)));

export const mistralDna: LanguageModelCard = {
  name: "mistral-dna",
  title: "Mistral-DNA",
  publishedAs: "Mistral-DNA",
  kind: "causal",
  tokens: "bpe",
  toy: true,
  cite: "Mourad 2024, github.com/raphaelmourad/Mistral-DNA; Jiang et al. 2024, arXiv:2401.04088",
  licence: "Apache-2.0",
  recognises: ({ model_type }) => model_type === "mixtral",
  architecture,
  tokenizer: openTokenizer,
  ...mistralDnaCheckpoints,
};
