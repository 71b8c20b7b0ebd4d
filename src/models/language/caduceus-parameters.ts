import { z } from "zod";
import { constant } from "../../net/graph/build.ts";
import { knownSize } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import type { Embedding, Linear } from "../../net/nn/linear.ts";
import type { Norm } from "../../net/nn/norm.ts";
import { epsilonSchema, type Initializer, parseConfig, sizeSchema } from "./architecture.ts";
import type { BidirectionalMamba, Projections, SelectiveModel } from "./blocks/mamba.ts";
import { stepBias } from "./blocks/state-space.ts";
import type { DeclaredTensor, ParameterTable } from "./parameters.ts";

// Configuration, tensors and initialisation of a Caduceus checkpoint.

const sizes = z.object({
  d_model: sizeSchema(1 << 16),
  n_layer: sizeSchema(512),
  vocab_size: sizeSchema(4096),
  pad_vocab_size_multiple: sizeSchema(1024).default(8),
  rcps: z.boolean(),
  norm_epsilon: epsilonSchema(),
  rms_norm: z.literal(true),
  fused_add_norm: z.literal(true),
  bidirectional: z.literal(true),
  /** PlantCAD2 has "v2", Mamba-2 modules, which are not supported. */
  mamba_version: z.literal("v1").optional(),
  bidirectional_strategy: z.literal("add"),
  bidirectional_weight_tie: z.literal(true),
  conjoin_eval: z.boolean().default(false),
  complement_map: z.record(z.string(), z.number().int().min(0)).optional(),
  initializer_cfg: z
    .object({
      initializer_range: z.number().positive().max(10).default(0.02),
      n_residuals_per_layer: sizeSchema(16).default(1),
    })
    .prefault({}),
  ssm_cfg: z
    .object({
      d_state: sizeSchema(4096).default(16),
      d_conv: sizeSchema(64).default(4),
      expand: sizeSchema(64).default(2),
      dt_rank: z.union([z.literal("auto"), sizeSchema()]).default("auto"),
      dt_min: z.number().positive().default(0.001),
      dt_max: z.number().positive().default(0.1),
      dt_init_floor: z.number().positive().default(1e-4),
      dt_scale: z.number().positive().default(1),
      dt_init: z.enum(["random", "constant"]).default("random"),
      conv_bias: z.literal(true).default(true),
      bias: z.literal(false).default(false),
    })
    .prefault({}),
});

export type CaduceusConfig = z.output<typeof sizes>;

const needsComplements = ({ rcps, conjoin_eval }: CaduceusConfig) => rcps || conjoin_eval;

const schema = sizes
  .refine((c) => !needsComplements(c) || c.complement_map !== undefined, {
    path: ["complement_map"],
    error: "expected the complement of every token",
  })
  .refine(
    (c) =>
      Object.entries(c.complement_map ?? {})
        .flat()
        .every((id) => Number(id) < vocabularyOf(c)),
    {
      path: ["complement_map"],
      error: "expected tokens of the vocabulary",
    },
  );

/**
 * Parses config.json.
 * @throws {FormatError} naming a size or setting that is missing, invalid or not supported
 */
export const readCaduceusConfig = (config: unknown, file: string): CaduceusConfig =>
  parseConfig(schema, config, file);

export interface Block {
  readonly norm: Norm;
  readonly mixer: BidirectionalMamba;
}

export interface CaduceusParameters {
  readonly words: Embedding;
  readonly blocks: readonly Block[];
  readonly finalNorm: Norm;
  /** Complement of each token id, [v], for the embedding and for the head. */
  readonly complements: readonly [embedding: Sym, head: Sym];
}

export function vocabularyOf({ vocab_size, pad_vocab_size_multiple }: CaduceusConfig): number {
  return Math.ceil(vocab_size / pad_vocab_size_multiple) * pad_vocab_size_multiple;
}

/** Tensor names; Caduceus-PS has additional wrapper modules. */
const names = ({ rcps }: CaduceusConfig) => {
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

/**
 * Declares the parameters of a Caduceus.
 *
 * @param untied  true declares separate projections for each direction
 */
export function declareCaduceus(
  table: ParameterTable,
  c: CaduceusConfig,
  untied: boolean,
): CaduceusParameters {
  const d = c.d_model;
  const { words, embedding, layer, mamba, head } = names(c);
  const complement = (at: string) =>
    c.rcps
      ? table.tensor(`${at}.complement_map`, [vocabularyOf(c)], { dtype: "int64", buffer: true })
      : constant({ dtype: "int64", shape: [vocabularyOf(c)], data: complementMap(c) });
  return {
    words: table.embedding(embedding, vocabularyOf(c), d, { aliases: [head] }),
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
            backward: untied
              ? declareProjections(table, c, backward, { tiedTo: forward })
              : shareWeights(table, backward, projections),
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
  { d_model: d, ssm_cfg: { expand } }: CaduceusConfig,
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
    adapter: table.adapter(`${at}.${name}.weight`, shape, "linear"),
  });
  return { input: weight("in_proj", [2 * e, d]), output: weight("out_proj", [d, e]) };
}

/** Projections of a module that shares the weights of others, but not their LoRA factors. */
function shareWeights(table: ParameterTable, at: string, shared: Projections): Projections {
  if (shared.input.adapter === undefined) return shared;
  const own = (name: string, { weight }: Linear): Linear => ({
    weight,
    adapter: table.adapter(
      `${at}.${name}.weight`,
      weight.shape.map((size) => knownSize(size, "a weight")),
      "linear",
    ),
  });
  return { input: own("in_proj", shared.input), output: own("out_proj", shared.output) };
}

function declareSelective(table: ParameterTable, c: CaduceusConfig, at: string): SelectiveModel {
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

const stepRank = ({ d_model, ssm_cfg: { dt_rank } }: CaduceusConfig) =>
  dt_rank === "auto" ? Math.ceil(d_model / 16) : dt_rank;

/** Complement of each token id; a token absent from the map is its own complement. */
function complementMap(c: CaduceusConfig): BigInt64Array {
  return BigInt64Array.from({ length: vocabularyOf(c) }, (_, id) => BigInt(c.complement_map?.[id] ?? id));
}

/**
 * Initialisation as in the official code: Mamba's own, PyTorch's defaults, and output projections scaled by
 * 1/√(residual additions).
 */
export function initialCaduceus({ name, shape }: DeclaredTensor, c: CaduceusConfig): Initializer {
  const { d_conv, d_state, dt_init, dt_scale } = c.ssm_cfg;
  const fanIn = shape[1];
  const uniform = (bound: number): Initializer => ({ kind: "uniform", bound });
  if (name.endsWith("complement_map")) return { kind: "values", values: () => complementMap(c) };
  if (/\.norm(_f)?\.weight$|\.D$/.test(name)) return { kind: "constant", value: 1 };
  if (name.includes("conv1d")) return uniform(1 / Math.sqrt(d_conv));
  if (name.endsWith("A_log")) {
    const values = () =>
      Float32Array.from({ length: shape[0] * d_state }, (_, i) => Math.log((i % d_state) + 1));
    return { kind: "values", values };
  }
  if (name.endsWith("dt_proj.weight")) {
    const bound = dt_scale / Math.sqrt(stepRank(c));
    return dt_init === "random" ? uniform(bound) : { kind: "constant", value: bound };
  }
  if (name.endsWith("dt_proj.bias")) {
    const { dt_min: min, dt_max: max, dt_init_floor: floor } = c.ssm_cfg;
    return stepBias({ min, max, floor });
  }
  if (name.endsWith("out_proj.weight")) {
    return uniform(1 / Math.sqrt(fanIn * c.initializer_cfg.n_residuals_per_layer * c.n_layer));
  }
  if (/(in|x)_proj\.weight$/.test(name)) return uniform(1 / Math.sqrt(fanIn));
  return { kind: "normal", std: c.initializer_cfg.initializer_range };
}
