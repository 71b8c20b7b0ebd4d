import { z } from "zod";
import { epsilonSchema, type Initializer, parseConfig, sizeSchema } from "./architecture.ts";
import { type Mamba, mambaMixer } from "./blocks/mamba.ts";
import { type StateSpaceFamily, stateSpaceArchitecture, stepBias } from "./blocks/state-space.ts";
import { architectureCard } from "./card.ts";
import type { DeclaredTensor, ParameterTable } from "./parameters.ts";
import { toyBytePairs } from "./published-checkpoints/toy-byte-pairs.ts";

// axes: d width · e inner width · n states of a channel · r rank of Δ

const schema = z
  .object({
    vocab_size: sizeSchema(),
    hidden_size: sizeSchema(1 << 16),
    state_size: sizeSchema(4096).default(16),
    num_hidden_layers: sizeSchema(512),
    expand: sizeSchema(64).default(2),
    conv_kernel: sizeSchema(64).default(4),
    layer_norm_epsilon: epsilonSchema().default(1e-5),
    use_bias: z.boolean().default(false),
    use_conv_bias: z.boolean().default(true),
    hidden_act: z.literal("silu").default("silu"),
    time_step_rank: z.union([z.literal("auto"), sizeSchema()]).default("auto"),
    time_step_scale: z.number().positive().default(1),
    time_step_min: z.number().positive().default(0.001),
    time_step_max: z.number().positive().default(0.1),
    time_step_floor: z.number().positive().default(1e-4),
    time_step_init_scheme: z.enum(["random", "constant"]).default("random"),
    initializer_range: z.number().positive().max(10).default(0.1),
    tie_word_embeddings: z.boolean().default(true),
  })
  .transform((c) => ({
    ...c,
    inner: c.expand * c.hidden_size,
    rank: c.time_step_rank === "auto" ? Math.ceil(c.hidden_size / 16) : c.time_step_rank,
  }));

type Config = z.output<typeof schema>;

/** Mamba (Gu & Dao 2023, arXiv:2312.00752), with the module names of Transformers. */
const family = (c: Config): StateSpaceFamily<Mamba> => ({
  width: c.hidden_size,
  layers: c.num_hidden_layers,
  vocabulary: c.vocab_size,
  epsilon: c.layer_norm_epsilon,
  tied: c.tie_word_embeddings,
  liveValuesPerToken: 4 * c.hidden_size + 5 * c.inner,
  stateValues: c.inner * c.state_size,
  declare: (table, at) => declare(table, at, c),
  mixer: mambaMixer,
  initial: (tensor) => initial(tensor, c),
});

function declare(table: ParameterTable, at: string, c: Config): Mamba {
  const { hidden_size: d, inner: e, state_size: n, rank: r } = c;
  const bias = { bias: c.use_bias };
  return {
    projections: {
      input: table.linear(`${at}.in_proj`, d, 2 * e, bias),
      output: table.linear(`${at}.out_proj`, e, d, bias),
    },
    model: {
      convolution: table.depthwise(`${at}.conv1d`, e, c.conv_kernel, { bias: c.use_conv_bias }),
      selection: table.linear(`${at}.x_proj`, e, r + 2 * n, { bias: false }),
      step: table.linear(`${at}.dt_proj`, r, e),
      logA: table.tensor(`${at}.A_log`, [e, n]),
      skip: table.tensor(`${at}.D`, [e]),
    },
  };
}

/** Initialisation as in Transformers. */
function initial({ name, shape }: DeclaredTensor, c: Config): Initializer {
  const uniform = (bound: number): Initializer => ({ kind: "uniform", bound });
  const n = c.state_size;
  if (/norm(_f)?\.weight$|\.D$/.test(name)) return { kind: "constant", value: 1 };
  if (name.endsWith(".A_log")) {
    const values = () => Float32Array.from({ length: c.inner * n }, (_, i) => Math.log((i % n) + 1));
    return { kind: "values", values };
  }
  if (name.endsWith("dt_proj.bias")) {
    return stepBias({ min: c.time_step_min, max: c.time_step_max, floor: c.time_step_floor });
  }
  if (name.endsWith("dt_proj.weight")) {
    const bound = c.time_step_scale / Math.sqrt(c.rank);
    return c.time_step_init_scheme === "random" ? uniform(bound) : { kind: "constant", value: bound };
  }
  if (name.endsWith(".bias")) return { kind: "constant", value: 0 };
  if (name.endsWith("conv1d.weight")) return uniform(1 / Math.sqrt(c.conv_kernel));
  if (name.endsWith("out_proj.weight")) return uniform(1 / Math.sqrt(shape[1]));
  return { kind: "normal", std: c.initializer_range };
}

const architecture = (config: unknown, file: string) =>
  stateSpaceArchitecture(family(parseConfig(schema, config, file)));

const toyTokens = toyBytePairs([]);

export const mamba = architectureCard({
  name: "mamba",
  title: "Mamba",
  kind: "causal",
  cite: "Gu & Dao 2023, arXiv:2312.00752",
  modelTypes: ["mamba"],
  architecture,
  tokenizerFiles: toyTokens.tokenizerFiles,
  toy: {
    architectures: ["MambaForCausalLM"],
    model_type: "mamba",
    hidden_size: 32,
    num_hidden_layers: 2,
    state_size: 8,
    vocab_size: toyTokens.vocabularySize,
  },
});
