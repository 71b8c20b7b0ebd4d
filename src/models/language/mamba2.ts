import { z } from "zod";
import { epsilonSchema, type Initializer, parseConfig, sizeSchema } from "./architecture.ts";
import { type Mamba2, mamba2Mixer } from "./blocks/mamba2.ts";
import { type StateSpaceFamily, stateSpaceArchitecture, stepBias } from "./blocks/state-space.ts";
import { architectureCard } from "./card.ts";
import type { DeclaredTensor, ParameterTable } from "./parameters.ts";
import { toyBytePairs } from "./published-checkpoints/toy-byte-pairs.ts";

// axes: d width · e inner width · h heads · k channels of the convolution

const schema = z
  .object({
    vocab_size: sizeSchema(),
    hidden_size: sizeSchema(1 << 16),
    state_size: sizeSchema(4096).default(128),
    num_hidden_layers: sizeSchema(512),
    num_heads: sizeSchema(4096),
    head_dim: sizeSchema(4096).default(64),
    n_groups: sizeSchema(4096).default(8),
    expand: sizeSchema(64).default(2),
    conv_kernel: sizeSchema(64).default(4),
    layer_norm_epsilon: epsilonSchema().default(1e-5),
    use_bias: z.boolean().default(false),
    use_conv_bias: z.boolean().default(true),
    hidden_act: z.literal("silu").default("silu"),
    time_step_min: z.number().positive().default(0.001),
    time_step_max: z.number().positive().default(0.1),
    time_step_floor: z.number().positive().default(1e-4),
    /** Range to which Δ is clipped; null stands for Infinity, no upper limit. */
    time_step_limit: z.tuple([z.number().min(0), z.number().positive().nullable()]).default([0, null]),
    initializer_range: z.number().positive().max(10).default(0.1),
    tie_word_embeddings: z.boolean().default(false),
  })
  .transform((c) => ({ ...c, inner: c.expand * c.hidden_size }))
  .refine((c) => c.inner === c.num_heads * c.head_dim, {
    path: ["num_heads"],
    error: "expected expand · hidden_size / head_dim",
  })
  .refine((c) => c.num_heads % c.n_groups === 0, {
    path: ["n_groups"],
    error: "expected a divisor of num_heads",
  });

type Config = z.output<typeof schema>;

/** Mamba-2 (Dao & Gu 2024, arXiv:2405.21060), with the module names of Transformers. */
function family(c: Config): StateSpaceFamily<Mamba2> {
  const sizes = {
    heads: c.num_heads,
    headWidth: c.head_dim,
    groups: c.n_groups,
    states: c.state_size,
    epsilon: c.layer_norm_epsilon,
    stepLimit: c.time_step_limit,
  };
  return {
    width: c.hidden_size,
    layers: c.num_hidden_layers,
    vocabulary: c.vocab_size,
    epsilon: c.layer_norm_epsilon,
    tied: c.tie_word_embeddings,
    liveValuesPerToken: 4 * c.hidden_size + 6 * convolvedChannels(c),
    stateValues: c.inner * c.state_size,
    declare: (table, at) => declare(table, at, c),
    mixer: (p, x, options) => mamba2Mixer(p, x, sizes, options),
    initial: (tensor) => initial(tensor, c),
  };
}

/** k, the channels of the convolution: x, B and C. */
const convolvedChannels = (c: Config) => c.inner + 2 * c.n_groups * c.state_size;

function declare(table: ParameterTable, at: string, c: Config): Mamba2 {
  const { hidden_size: d, inner: e, num_heads: h } = c;
  const k = convolvedChannels(c);
  const bias = { bias: c.use_bias };
  return {
    input: table.linear(`${at}.in_proj`, d, e + k + h, bias),
    convolution: table.depthwise(`${at}.conv1d`, k, c.conv_kernel, { bias: c.use_conv_bias }),
    stepBias: table.tensor(`${at}.dt_bias`, [h]),
    logA: table.tensor(`${at}.A_log`, [h]),
    skip: table.tensor(`${at}.D`, [h]),
    norm: table.norm(`${at}.norm`, e, { bias: false }),
    output: table.linear(`${at}.out_proj`, e, d, bias),
  };
}

/** Initialisation as in Transformers. */
function initial({ name, shape }: DeclaredTensor, c: Config): Initializer {
  if (/norm(_f)?\.weight$|\.D$/.test(name)) return { kind: "constant", value: 1 };
  if (name.endsWith(".A_log")) {
    const values = () => Float32Array.from({ length: c.num_heads }, (_, i) => Math.log(i + 1));
    return { kind: "values", values };
  }
  if (name.endsWith(".dt_bias")) {
    return stepBias({ min: c.time_step_min, max: c.time_step_max, floor: c.time_step_floor });
  }
  if (name.endsWith(".bias")) return { kind: "constant", value: 0 };
  if (name.endsWith("conv1d.weight")) return { kind: "uniform", bound: 1 / Math.sqrt(c.conv_kernel) };
  if (name.endsWith("out_proj.weight")) return { kind: "uniform", bound: 1 / Math.sqrt(shape[1]) };
  return { kind: "normal", std: c.initializer_range };
}

const architecture = (config: unknown, file: string) =>
  stateSpaceArchitecture(family(parseConfig(schema, config, file)));

const toyTokens = toyBytePairs([]);

export const mamba2 = architectureCard({
  name: "mamba2",
  title: "Mamba-2",
  kind: "causal",
  cite: "Dao & Gu 2024, arXiv:2405.21060",
  modelTypes: ["mamba2"],
  architecture,
  tokenizerFiles: toyTokens.tokenizerFiles,
  toy: {
    architectures: ["Mamba2ForCausalLM"],
    model_type: "mamba2",
    hidden_size: 32,
    num_hidden_layers: 2,
    num_heads: 4,
    head_dim: 16,
    n_groups: 1,
    state_size: 8,
    vocab_size: toyTokens.vocabularySize,
  },
});
