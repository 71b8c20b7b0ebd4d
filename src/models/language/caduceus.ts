import { z } from "zod";
import { caduceusTokenizer } from "../../dna/tokenizers/one-letter.ts";
import {
  add,
  cast,
  constant,
  expand,
  flip,
  gather,
  gatherElements,
  mul,
  reduceMean,
  reshape,
  slice,
  transpose,
} from "../../net/graph/build.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { linear } from "../../net/nn/linear.ts";
import type { Norm } from "../../net/nn/norm.ts";
import { rmsNorm } from "../../net/nn/norm.ts";
import type {
  Architecture,
  ClassifierHead,
  ForwardInput,
  ForwardOutput,
  InitialLaw,
} from "../architecture.ts";
import type { LanguageModelCard, PublicCheckpoint } from "../card.ts";
import { epsilon, parseConfig, size } from "../config.ts";
import type { DeclaredTensor } from "../parameters.ts";
import { ParameterTable } from "../parameters.ts";
import type { BidirectionalMamba, Projections, SelectiveModel } from "./blocks/mamba.ts";
import { bidirectionalMamba, reverseComplemented } from "./blocks/mamba.ts";
import { bothStrands, byStrand, otherStrand, placesOnBothStrands, sideBySide } from "./blocks/strands.ts";

// Caduceus-PS shares its parameters between the strands, Caduceus-Ph sees one strand (Schiff et al. 2024, arXiv:2403.03234).
// axes: b batch · t tokens · s strands (2 of PS, else 1) · d width · v vocabulary

const sizes = z.object({
  d_model: size(1 << 16),
  n_layer: size(512),
  vocab_size: size(4096),
  pad_vocab_size_multiple: size(1024).default(8),
  rcps: z.boolean(),
  norm_epsilon: epsilon(),
  rms_norm: z.literal(true),
  fused_add_norm: z.literal(true),
  bidirectional: z.literal(true),
  bidirectional_strategy: z.literal("add"),
  bidirectional_weight_tie: z.literal(true),
  conjoin_eval: z.boolean().default(false),
  complement_map: z.record(z.string(), z.number().int().min(0)).optional(),
  initializer_cfg: z
    .object({
      initializer_range: z.number().positive().max(10).default(0.02),
      n_residuals_per_layer: size(16).default(1),
    })
    .prefault({}),
  ssm_cfg: z
    .object({
      d_state: size(4096).default(16),
      d_conv: size(64).default(4),
      expand: size(64).default(2),
      dt_rank: z.union([z.literal("auto"), size()]).default("auto"),
      dt_min: z.number().positive().default(0.001),
      dt_max: z.number().positive().default(0.1),
      dt_init_floor: z.number().positive().default(1e-4),
      dt_scale: z.number().positive().default(1),
      dt_init: z.literal("random").default("random"),
      conv_bias: z.literal(true).default(true),
      bias: z.literal(false).default(false),
    })
    .prefault({}),
});

type Config = z.output<typeof sizes>;

const needsComplements = ({ rcps, conjoin_eval }: Config) => rcps || conjoin_eval;

const schema = sizes
  .refine((c) => !needsComplements(c) || c.complement_map !== undefined, {
    path: ["complement_map"],
    error: "expected the complement of every token",
  })
  .refine(
    (c) =>
      Object.entries(c.complement_map ?? {})
        .flat()
        .every((id) => Number(id) < vocabulary(c)),
    {
      path: ["complement_map"],
      error: "expected tokens of the vocabulary",
    },
  );

interface Block {
  readonly norm: Norm;
  readonly mixer: BidirectionalMamba;
}

interface Parameters {
  readonly words: Sym;
  readonly blocks: readonly Block[];
  readonly finalNorm: Norm;
  /** The complement of each token: of the embedding, and of the head. */
  readonly complements: readonly [embedding: Sym, head: Sym];
}

function vocabulary({ vocab_size, pad_vocab_size_multiple }: Config): number {
  return Math.ceil(vocab_size / pad_vocab_size_multiple) * pad_vocab_size_multiple;
}

/** Names of tensors; those of PS have wrappers in between. */
const names = ({ rcps }: Config) => {
  const words = "caduceus.backbone.embeddings.word_embeddings";
  return {
    words,
    embedding: rcps ? `${words}.embedding` : words,
    layer: (i: number) => `caduceus.backbone.layers.${i}`,
    mamba: (i: number, direction: "fwd" | "rev") =>
      `caduceus.backbone.layers.${i}.mixer${rcps ? ".submodule" : ""}.mamba_${direction}`,
    head: rcps ? "lm_head.lm_head.weight" : "lm_head.weight",
  };
};

/** @param untied  declare the projections of either direction as tensors of their own */
function declare(table: ParameterTable, c: Config, untied: boolean): Parameters {
  const d = c.d_model;
  const { words, embedding, layer, mamba, head } = names(c);
  const complement = (at: string) =>
    c.rcps
      ? table.tensor(`${at}.complement_map`, [vocabulary(c)], { dtype: "int64" })
      : constant({ dtype: "int64", shape: [vocabulary(c)], data: complementMap(c) });
  return {
    words: table.embedding(embedding, vocabulary(c), d, { aliases: [head] }),
    blocks: Array.from({ length: c.n_layer }, (_, i) => {
      const [forward, backward] = [mamba(i, "fwd"), mamba(i, "rev")];
      const projections = declareProjections(table, c, forward, untied ? {} : { alias: backward });
      return {
        norm: table.norm(`${layer(i)}.norm`, d, { bias: false }),
        mixer: {
          forward: declareSelective(table, c, forward),
          backward: declareSelective(table, c, backward),
          projections: {
            forward: projections,
            backward: untied ? declareProjections(table, c, backward, { tiedTo: forward }) : projections,
          },
        },
      };
    }),
    finalNorm: table.norm("caduceus.backbone.norm_f", d, { bias: false }),
    complements: [complement(words), complement("lm_head")],
  };
}

function declareProjections(
  table: ParameterTable,
  { d_model: d, ssm_cfg: { expand } }: Config,
  at: string,
  { alias, tiedTo }: { readonly alias?: string; readonly tiedTo?: string },
): Projections {
  const e = expand * d;
  const weight = (name: string, shape: readonly number[]) => ({
    weight: table.tensor(`${at}.${name}.weight`, shape, {
      layer: "linear",
      ...(alias === undefined ? {} : { aliases: [`${alias}.${name}.weight`] }),
      ...(tiedTo === undefined ? {} : { tiedTo: `${tiedTo}.${name}.weight` }),
    }),
  });
  return { input: weight("in_proj", [2 * e, d]), output: weight("out_proj", [d, e]) };
}

function declareSelective(table: ParameterTable, c: Config, at: string): SelectiveModel {
  const { d_state, d_conv, expand } = c.ssm_cfg;
  const e = expand * c.d_model;
  return {
    convolution: table.depthwise(`${at}.conv1d`, e, d_conv),
    selection: table.linear(`${at}.x_proj`, e, stepRank(c) + 2 * d_state, { bias: false }),
    step: table.linear(`${at}.dt_proj`, stepRank(c), e),
    logA: table.tensor(`${at}.A_log`, [e, d_state]),
    skip: table.tensor(`${at}.D`, [e]),
  };
}

const stepRank = ({ d_model, ssm_cfg: { dt_rank } }: Config) =>
  dt_rank === "auto" ? Math.ceil(d_model / 16) : dt_rank;

/** Ids by token; a token that the map leaves out is its own complement. */
function complementMap(c: Config): BigInt64Array {
  return BigInt64Array.from({ length: vocabulary(c) }, (_, id) => BigInt(c.complement_map?.[id] ?? id));
}

/**
 * R ← R + H; H ← mixer(RMS(R)) in every block, from H = E[ids] and R = 0; then RMS(R + H). What a block makes is added
 * where the next begins, so hidden states have no residual in them.
 *
 * @param ids     [t, rows]
 * @param places  of the one token asked for in each row: int32 [rows]; all tokens where absent
 * @returns       E[ids] and every H, then the normalised sum: each [t, rows, d], what the last block makes and the sum
 *   [1, rows, d] where one token is asked for
 */
function states(p: Parameters, c: Config, ids: Sym, loops: boolean, places: Sym | undefined) {
  const made = [gather(p.words, ids)];
  let residual = made[0]!;
  p.blocks.forEach(({ norm, mixer }, i) => {
    const one = i === p.blocks.length - 1 ? places : undefined;
    const asked = (x: Sym) => (one === undefined ? x : tokenAt(x, one));
    made.push(bidirectionalMamba(mixer, rmsNorm(norm, residual, c.norm_epsilon), { loops, asked }));
    residual = add(asked(residual), made.at(-1)!);
  });
  return { made, last: rmsNorm(p.finalNorm, residual, c.norm_epsilon) };
}

/** Token places[i] of row i: [t, rows, d], int32 [rows] → [1, rows, d] */
function tokenAt(x: Sym, places: Sym): Sym {
  const [, rows, width] = x.shape;
  return gatherElements(x, expand(reshape(places, [1, rows!, 1]), [1, rows!, width!]), 0);
}

/** One strand, as it is given. */
function oneStrand(
  p: Parameters,
  c: Config,
  { ids, loops = true }: ForwardInput,
  positions?: Sym,
): ForwardOutput {
  const { made, last } = states(p, c, tokensFirst(ids), loops, positions);
  const lastHidden = tokensSecond(last);
  return {
    hiddenStates: [...made.slice(0, -1).map(tokensSecond), lastHidden],
    lastHidden,
    logits: linear({ weight: p.words }, lastHidden),
  };
}

/**
 * Both strands through the same parameters. The published blocks keep for every token two halves, its own strand's and the
 * other's, and exchange them each time they run (as written with `fused_add_norm`, and as trained): what is computed in a
 * half is then one strand's network, whose first, third, … block sees the strand from its other side. So these blocks are
 * reverse-complemented once, and the strands are rows of one batch.
 */
function twoStrands(
  p: Parameters,
  c: Config,
  { ids, loops = true }: ForwardInput,
  positions?: Sym,
): ForwardOutput {
  const [batch, tokens] = ids.shape;
  const [complements, headComplements] = p.complements.map((map) => cast(map, "int32")) as [Sym, Sym];
  const strands = bothStrands(tokensFirst(ids), complements);
  const places = positions && placesOnBothStrands(positions, tokens!);
  const { made, last } = states(fromBothSides(p), c, strands, loops, places);
  const halves = (x: Sym, blocks: number) => {
    const { own, other } = byStrand(x, batch!);
    return blocks % 2 === 0 ? { own, other } : { own: flip(other, 2), other: flip(own, 2) };
  };
  const lastHalves = halves(last, c.n_layer);
  const lastHidden = sideBySide(lastHalves);
  return {
    hiddenStates: [...made.slice(0, -1).map((x, i) => sideBySide(halves(x, i))), lastHidden],
    lastHidden,
    logits: add(
      linear({ weight: p.words }, lastHalves.own),
      linear({ weight: gather(p.words, headComplements) }, lastHalves.other),
    ),
  };
}

/** The parameters as one strand meets them: every other block, from the first, is turned, and with an odd number the end. */
function fromBothSides(p: Parameters): Parameters {
  const turned = (norm: Norm): Norm => ({ weight: flip(norm.weight, 0) });
  return {
    ...p,
    blocks: p.blocks.map(({ norm, mixer }, i) =>
      i % 2 === 0 ? { norm: turned(norm), mixer: reverseComplemented(mixer) } : { norm, mixer },
    ),
    finalNorm: p.blocks.length % 2 === 0 ? p.finalNorm : turned(p.finalNorm),
  };
}

const tokensFirst = (x: Sym) => transpose(x, [1, 0]);
const tokensSecond = (x: Sym) => transpose(x, [1, 0, 2]);

const architecture = (config: unknown, file: string) => build(parseConfig(schema, config, file), false);

/** States of all rows, by number of float32 values, with which a loop's step still runs within the cache of some cores. */
const CACHED_VALUES = 2 ** 18;

function build(c: Config, untied: boolean): Architecture {
  const table = new ParameterTable();
  const p = declare(table, c, untied);
  const strands = c.rcps ? 2 : 1;
  const forward = (input: ForwardInput, positions?: Sym) =>
    (c.rcps ? twoStrands : oneStrand)(p, c, input, positions);
  return {
    width: strands * c.d_model,
    layers: c.n_layer,
    vocabulary: vocabulary(c),
    maxTokens: Number.POSITIVE_INFINITY,
    tensors: [...table.tensors.values()],
    ignored: [/^score\./],
    takesMask: false,
    fixedLength: false,
    recurrent: true,
    liveValuesPerToken: strands * (4 + 5 * c.ssm_cfg.expand) * c.d_model,
    mostRowsPerRun: Math.ceil(CACHED_VALUES / (strands * c.ssm_cfg.d_state * c.ssm_cfg.expand * c.d_model)),
    forward: (input) => forward(input),
    forwardAt: forward,
    untied: () => build(c, true),
    classifier: (labels) => classifier(c, labels, p.complements[0], forward),
    initial: (tensor) => initial(tensor, c),
  };
}

/**
 * `score` on the mean state of all tokens, [SEP] among them. Of two strands it is the mean of either's logits: PS has both
 * in every state, Ph runs on both only where its config says `conjoin_eval`.
 */
function classifier(
  c: Config,
  labels: number,
  complements: Sym,
  forward: (input: ForwardInput) => ForwardOutput,
): ClassifierHead {
  const table = new ParameterTable();
  const score = table.linear("score", c.d_model, labels, { bias: false });
  const pooled = ({ lastHidden }: ForwardOutput) => reduceMean(lastHidden, [1]);
  const meanOf = (own: Sym, other: Sym) => linear(score, mul(add(own, other), 0.5));
  return {
    tensors: [...table.tensors.values()],
    logits(output, input) {
      const states = pooled(output);
      if (c.rcps) return meanOf(slice(states, 1, 0, c.d_model), flip(slice(states, 1, c.d_model), 1));
      if (!c.conjoin_eval) return linear(score, states);
      const ids = tokensFirst(otherStrand(tokensFirst(input.ids), cast(complements, "int32")));
      return meanOf(states, pooled(forward({ ...input, ids })));
    },
  };
}

/** As the published code begins: Mamba's own laws, PyTorch's defaults, and outputs scaled by 1/√(residual additions). */
function initial({ name, shape }: DeclaredTensor, c: Config): InitialLaw {
  const { d_conv, d_state, dt_scale } = c.ssm_cfg;
  const fanIn = shape[1]!;
  const uniform = (bound: number): InitialLaw => ({ kind: "uniform", bound });
  if (name.endsWith("complement_map")) return { kind: "values", values: () => complementMap(c) };
  if (/\.norm(_f)?\.weight$|\.D$/.test(name)) return { kind: "constant", value: 1 };
  if (name.includes("conv1d")) return uniform(1 / Math.sqrt(d_conv));
  if (name.endsWith("A_log")) {
    const values = () =>
      Float32Array.from({ length: shape[0]! * d_state }, (_, i) => Math.log((i % d_state) + 1));
    return { kind: "values", values };
  }
  if (name.endsWith("dt_proj.weight")) return uniform(dt_scale / Math.sqrt(stepRank(c)));
  if (name.endsWith("dt_proj.bias")) return { kind: "drawn", value: (u) => stepBias(u, c) };
  if (name.endsWith("out_proj.weight")) {
    return uniform(1 / Math.sqrt(fanIn * c.initializer_cfg.n_residuals_per_layer * c.n_layer));
  }
  if (/(in|x)_proj\.weight$/.test(name)) return uniform(1 / Math.sqrt(fanIn));
  return { kind: "normal", deviation: c.initializer_cfg.initializer_range };
}

/** The b with softplus(b) = τ, τ spread evenly in its logarithm between the least and the largest first step. */
function stepBias(u: number, { ssm_cfg: { dt_min, dt_max, dt_init_floor } }: Config): number {
  const step = Math.max(dt_init_floor, dt_min * (dt_max / dt_min) ** u);
  return step + Math.log(-Math.expm1(-step));
}

const config = (rcps: boolean, d_model: number, n_layer: number) => ({
  architectures: ["CaduceusForMaskedLM"],
  model_type: "caduceus",
  rcps,
  d_model,
  n_layer,
  vocab_size: 16,
  pad_vocab_size_multiple: 8,
  norm_epsilon: 1e-5,
  rms_norm: true,
  fused_add_norm: true,
  residual_in_fp32: false,
  bidirectional: true,
  bidirectional_strategy: "add",
  bidirectional_weight_tie: true,
  complement_map: Object.fromEntries(Array.from({ length: 16 }, (_, id) => [id, COMPLEMENTS[id] ?? id])),
  initializer_cfg: { initializer_range: 0.02, n_residuals_per_layer: 1, rescale_prenorm_residual: true },
  ssm_cfg: {
    d_state: 16,
    d_conv: 4,
    expand: 2,
    dt_rank: "auto",
    dt_min: 0.001,
    dt_max: 0.1,
    dt_init: "random",
    dt_scale: 1,
    dt_init_floor: 1e-4,
    conv_bias: true,
    bias: false,
    use_fast_path: true,
  },
  torch_dtype: "float32",
});

/** A and T, C and G, by their ids. */
const COMPLEMENTS: Readonly<Record<number, number>> = { 7: 10, 8: 9, 9: 8, 10: 7 };

function published(
  preset: string,
  [width, layers, context]: readonly [number, number, string],
  more: Partial<PublicCheckpoint> = {},
): PublicCheckpoint {
  const kind = preset.slice(0, 2);
  const rate = context === "1k" ? "_lr-8e-3" : "";
  const repo = `kuleshov-group/caduceus-${kind}_seqlen-${context}_d_model-${width}_n_layer-${layers}${rate}`;
  return { preset, repo, revision: "main", config: config(kind === "ps", width, layers), ...more };
}

/** A short sequence with every letter, three times. */
const PROBE = { of: "ACGTNACGTNACGTN", ids: [7, 8, 9, 10, 11, 7, 8, 9, 10, 11, 7, 8, 9, 10, 11] };

export const caduceus: LanguageModelCard = {
  name: "caduceus",
  title: "Caduceus",
  kind: "masked",
  tokens: "one-letter",
  cite: "Schiff et al. 2024, arXiv:2403.03234",
  licence: "Apache-2.0",
  recognises: ({ model_type }) => model_type === "caduceus",
  architecture,
  tokenizer: async () => caduceusTokenizer(),
  checkpoints: [
    published("ps-131k", [256, 16, "131k"], {
      revision: "d89eeb853136ea64da7feb3d0c8e909771b17ae6",
      sha256: { "model.safetensors": "a3e6976fe90460ff5d90d371b457d0263dc65e156ea5651b4a452e98228daef2" },
      usedByDartEval: true,
    }),
    published("ph-131k", [256, 16, "131k"]),
    published("ps-1k-d256", [256, 4, "1k"]),
    published("ph-1k-d256", [256, 4, "1k"], { revision: "9865108985311772704c2ece0bac082153a6167b" }),
    published("ps-1k-d118", [118, 4, "1k"]),
    published("ph-1k-d118", [118, 4, "1k"]),
  ],
  toys: { toy: config(true, 32, 4), "toy-ph": config(false, 32, 4) },
  anchors: [
    {
      preset: "ps-131k",
      ...PROBE,
      tolerance: 1e-5,
      mean: {
        sum: -5.59592034,
        sumOfSquares: 8.31882551,
        first: [
          0.00440638047, 0.00694452133, -0.00204931665, -1.23141108e-5, 0.000536100124, -0.00186194282,
          -0.00572566222, -0.00514588505, 0.0186043996, 0.00691357348, 0.00237309257, -0.0146088004,
          -0.0245263241, -0.000786698656, -0.00622446369, -0.00367861101,
        ],
        last: [
          -0.00426626904, -0.00600530952, -0.00186772505, 0.000589279109, -1.62419419e-5, -0.00216557737,
          0.00786610786, 0.0047193435,
        ],
      },
    },
    {
      preset: "ph-1k-d256",
      ...PROBE,
      tolerance: 1e-5,
      mean: {
        sum: -3.65167029,
        sumOfSquares: 13.0820277,
        first: [
          -0.00111011416, 8.89798903e-5, -0.0132200215, -0.000318706239, 0.00298913871, 0.00272858748,
          -0.00409760652, -0.000528503209,
        ],
      },
    },
  ],
};
