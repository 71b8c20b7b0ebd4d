import { z } from "zod";
import { InputError } from "../../base/errors.ts";
import { openTokenizer } from "../../dna/tokenizers/open-tokenizer.ts";
import { add, argMax, cast, constant, equal, reshape, squeeze, sub } from "../../net/graph/build.ts";
import { type Dim, multiplyDims } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { attention, causalBias, mergeHeads, repeatHeads, splitHeads } from "../../net/nn/attention.ts";
import { type Embedding, embed } from "../../net/nn/embedding.ts";
import { type Linear, linear } from "../../net/nn/linear.ts";
import { type Norm, rmsNorm } from "../../net/nn/norm.ts";
import {
  applyRotary,
  type RotaryAngles,
  rotaryAnglesAt,
  rotaryFrequencies,
} from "../../net/nn/position-encoding.ts";
import { everyToken, oneToken, type Queries, rowAt } from "../../net/nn/queries.ts";
import {
  type Architecture,
  type ClassifierHead,
  epsilonSchema,
  type ForwardInput,
  type ForwardOutput,
  parseConfig,
  sizeSchema,
} from "./architecture.ts";
import { bertInitial } from "./blocks/bert.ts";
import { addExperts, type MixtureOfExperts, type Routing } from "./blocks/mixture-of-experts.ts";
import type { LanguageModelCard } from "./card.ts";
import type { LoraAdapters } from "./lora.ts";
import { ParameterTable } from "./parameters.ts";
import { mistralDnaCheckpoints } from "./published-checkpoints/mistral-dna.ts";

// axes: b batch · t tokens · q queries · d width · h heads · g heads of keys and values · c width of a head

/** Mixtral configuration: the published models are decoders with a mixture of experts, despite the name. */
const schema = z
  .object({
    architectures: z.array(z.string()).default([]),
    vocab_size: sizeSchema(),
    hidden_size: sizeSchema(1 << 16),
    num_hidden_layers: sizeSchema(512),
    num_attention_heads: sizeSchema(1024),
    num_key_value_heads: sizeSchema(1024),
    head_dim: sizeSchema(1 << 16).nullish(),
    intermediate_size: sizeSchema(),
    num_local_experts: sizeSchema(1024),
    num_experts_per_tok: sizeSchema(1024),
    hidden_act: z.literal("silu"),
    rms_norm_eps: epsilonSchema(),
    rope_theta: z.number().positive(),
    sliding_window: sizeSchema(1 << 24).nullish(),
    tie_word_embeddings: z.literal(false).default(false),
    initializer_range: z.number().positive().max(10).default(0.02),
    pad_token_id: z.number().int().min(0).nullish(),
  })
  .refine((c) => c.num_attention_heads % c.num_key_value_heads === 0, {
    path: ["num_key_value_heads"],
    error: "expected a divisor of num_attention_heads",
  })
  .refine((c) => headWidth(c) % 2 === 0, {
    path: ["num_attention_heads"],
    error: "expected heads of even width, as rotary positions need",
  })
  .refine((c) => c.num_experts_per_tok <= c.num_local_experts, {
    path: ["num_experts_per_tok"],
    error: "expected no more than num_local_experts",
  });

type Config = z.output<typeof schema>;

interface HeadSizes {
  readonly hidden_size: number;
  readonly num_attention_heads: number;
  readonly head_dim?: number | null | undefined;
}

function headWidth({ head_dim, hidden_size, num_attention_heads }: HeadSizes): number {
  return head_dim ?? hidden_size / num_attention_heads;
}

interface Attention {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
}

interface Layer {
  readonly attentionNorm: Norm;
  readonly attention: Attention;
  readonly expertsNorm: Norm;
  readonly experts: MixtureOfExperts;
}

interface Parameters {
  readonly words: Embedding;
  readonly layers: readonly Layer[];
  readonly lastNorm: Norm;
  /** Absent from a checkpoint fine-tuned for classification. */
  readonly head: Linear | undefined;
}

function declare(table: ParameterTable, c: Config): Parameters {
  const d = c.hidden_size;
  const plain = { bias: false };
  const dense = (at: string, inWidth: number, outWidth: number) => table.linear(at, inWidth, outWidth, plain);
  return {
    words: table.embedding("model.embed_tokens", c.vocab_size, d),
    layers: Array.from({ length: c.num_hidden_layers }, (_, i) => {
      const at = `model.layers.${i}`;
      const queries = c.num_attention_heads * headWidth(c);
      const keys = c.num_key_value_heads * headWidth(c);
      return {
        attentionNorm: table.norm(`${at}.input_layernorm`, d, plain),
        attention: {
          query: dense(`${at}.self_attn.q_proj`, d, queries),
          key: dense(`${at}.self_attn.k_proj`, d, keys),
          value: dense(`${at}.self_attn.v_proj`, d, keys),
          output: dense(`${at}.self_attn.o_proj`, queries, d),
        },
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

/** Queries of a layer, their rotary angles and attention bias. */
interface QueryContext {
  readonly queries: Queries;
  readonly angles: RotaryAngles;
  /** [b, 1, q, t] */
  readonly bias: Sym;
}

/** q = R(W_q·y), k = R(W_k·y), v = W_v·y; W_o·softmax(q·kᵀ / √c + bias)·v.  y: [b, t, d] → [b, q, d] */
function selfAttention(p: Attention, c: Config, y: Sym, at: QueryContext, all: QueryContext): Sym {
  const group = c.num_attention_heads / c.num_key_value_heads;
  const q = applyRotary(splitHeads(linear(p.query, at.queries.rowsOf(y)), c.num_attention_heads), at.angles); // [b, h, q, c]
  const k = applyRotary(splitHeads(linear(p.key, y), c.num_key_value_heads), all.angles); // [b, g, t, c]
  const v = splitHeads(linear(p.value, y), c.num_key_value_heads);
  return linear(p.output, mergeHeads(attention(q, repeatHeads(k, group), repeatHeads(v, group), at.bias)));
}

/** a = x + attention(rms₁(x)); a + experts(rms₂(a)).  x: [b, t, d] → [b, q, d] */
function layer(p: Layer, c: Config, x: Sym, routing: Routing, at: QueryContext, all: QueryContext): Sym {
  const y = rmsNorm(p.attentionNorm, x, c.rms_norm_eps);
  const a = add(at.queries.rowsOf(x), selfAttention(p.attention, c, y, at, all));
  const rows = reshape(a, [multiplyDims(...a.shape.slice(0, -1)), c.hidden_size]);
  const z = rmsNorm(p.expertsNorm, rows, c.rms_norm_eps);
  return reshape(addExperts(p.experts, rows, z, routing), a.shape);
}

/** x⁰ = E[ids]; x ← layer(x); h = rms(xⁿ).  With positions, the last layer computes one token per row. */
function forward(p: Parameters, c: Config, input: ForwardInput, tokens: Dim, positions?: Sym): ForwardOutput {
  const all = contextOf(c, input, tokens, everyToken(tokens));
  const last = positions === undefined ? all : contextOf(c, input, tokens, oneToken(positions));
  const states = [embed(p.words, input.ids)];
  p.layers.forEach((each, i) => {
    const isLast = i === p.layers.length - 1;
    const routing = { perToken: c.num_experts_per_tok, layer: String(i), reached: input.reached };
    states.push(layer(each, c, states.at(-1)!, routing, isLast ? last : all, all));
  });
  const lastHidden = rmsNorm(p.lastNorm, states.at(-1)!, c.rms_norm_eps);
  return {
    hiddenStates: [...states.slice(0, -1), lastHidden],
    lastHidden,
    get logits() {
      return linear(headOf(p), lastHidden);
    },
  };
}

function contextOf(c: Config, { mask }: ForwardInput, tokens: Dim, queries: Queries): QueryContext {
  const data = rotaryFrequencies(headWidth(c), c.rope_theta);
  const frequencies = constant({ dtype: "float32", shape: [data.length], data });
  const bias = causalBias(queries, tokens, { mask, window: c.sliding_window ?? undefined });
  return { queries, angles: rotaryAnglesAt(queries.positions, frequencies), bias };
}

function headOf({ head }: Parameters): Linear {
  if (head !== undefined) return head;
  throw new InputError("this checkpoint is fine-tuned for classification and has no language-model head", {
    hint: "use it for embeddings, and its base checkpoint for likelihoods",
  });
}

const architecture = (config: unknown, file: string) => build(parseConfig(schema, config, file));

function build(c: Config, lora?: LoraAdapters): Architecture {
  const table = new ParameterTable(lora);
  const p = declare(table, c);
  return {
    width: c.hidden_size,
    layers: c.num_hidden_layers,
    vocabulary: c.vocab_size,
    maxTokens: Number.POSITIVE_INFINITY,
    tensors: [...table.tensors.values()],
    ignored: [/^score\./],
    takesMask: true,
    fixedLength: false,
    liveValuesPerToken: 6 * c.hidden_size + 3 * c.intermediate_size,
    liveValuesPerPair: 2 * c.num_attention_heads + 1,
    forward: (input, tokens) => forward(p, c, input, tokens),
    forwardAt: (input, positions, tokens) => forward(p, c, input, tokens, positions),
    classifier: (labels) => classifier(c, labels),
    wrapped: ["model"],
    adapted: (factors) => build(c, factors),
    initial: (tensor) => bertInitial(tensor, c.initializer_range),
  };
}

/** Default padding id in the original: its tokenizer's [PAD]. */
const PAD = 3;

/**
 * `score` on the token before the first padding, or the last token without padding: [SEP], with padding on
 * the right. A row that begins with padding is also read at its last token.
 */
function classifier(c: Config, labels: number): ClassifierHead {
  const table = new ParameterTable();
  const score = table.linear("score", c.hidden_size, labels, { bias: false });
  return {
    tensors: [...table.tensors.values()],
    logits({ lastHidden }, { ids }) {
      const padding = cast(equal(ids, c.pad_token_id ?? PAD), "int32");
      const last = sub(argMax(padding, 1), 1); // [b]; −1, the last of a row, where there is no padding
      return linear(score, squeeze(rowAt(lastHidden, last), 1));
    },
  };
}

export const mistralDna: LanguageModelCard = {
  name: "mistral-dna",
  title: "Mistral-DNA",
  publishedAs: "Mistral-DNA",
  kind: "causal",
  tokens: "bpe",
  cite: "Mourad 2024, github.com/raphaelmourad/Mistral-DNA; Jiang et al. 2024, arXiv:2401.04088",
  licence: "Apache-2.0",
  recognises: ({ model_type }) => model_type === "mixtral",
  architecture,
  tokenizer: openTokenizer,
  ...mistralDnaCheckpoints,
};
