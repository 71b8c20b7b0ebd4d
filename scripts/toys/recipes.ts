import type { PretrainingRecipe } from "../../src/models/pretraining/pretrain.ts";

export interface ToyForm {
  /** What differs from the family's untrained toy. Narrow models learn faster from weights that are spread wider. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Letters per sequence. */
  readonly length: number;
  readonly recipe: PretrainingRecipe;
  /** Pairs that it is asked, where all 372 would take long. */
  readonly pairs?: number;
}

const WIDE = { initializer_range: 0.1 };
const recipe = (epochs: number, learningRate: number) => ({ epochs, batchSize: 8, learningRate, seed: 0 });

/** How each toy is trained. */
export const TOYS: Readonly<Record<string, ToyForm>> = {
  hyenadna: { config: WIDE, length: 350, recipe: recipe(6, 4e-3) },
  "mistral-dna": { config: WIDE, length: 350, recipe: recipe(8, 4e-3) },
  dnabert2: { config: WIDE, length: 350, recipe: recipe(36, 5e-3), pairs: 120 },
  "gena-lm": { config: WIDE, length: 350, recipe: recipe(12, 4e-3), pairs: 120 },
  // words of three letters: of four there are too many to learn in minutes
  "nucleotide-transformer": {
    config: { ...WIDE, vocab_size: 75 },
    length: 350,
    recipe: { ...recipe(5, 3e-3), hidden: 0.2 },
    pairs: 80,
  },
  caduceus: {
    config: {
      d_model: 24,
      n_layer: 2,
      ssm_cfg: { d_state: 8, d_conv: 4, expand: 2, dt_rank: "auto", conv_bias: true, bias: false },
    },
    length: 128,
    recipe: { ...recipe(3, 6e-3), batchSize: 16, hidden: 0.2 },
    pairs: 40,
  },
};
