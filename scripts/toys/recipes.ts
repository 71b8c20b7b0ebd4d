import type { CellLine } from "../../src/datasets/cell-lines.ts";
import { type ChrombpnetRecipe, PUBLISHED_RECIPE } from "../../src/models/chrombpnet/training/recipe.ts";
import type { PretrainingRecipe } from "../../src/models/training/pretraining.ts";

export interface ToyForm {
  /** Differences from the family's untrained toy. Narrow models learn faster from a larger initial spread. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Bases per sequence. */
  readonly length: number;
  readonly recipe: PretrainingRecipe;
  /** Number of evaluated pairs, if all 372 take too long. */
  readonly pairs?: number;
}

const WIDE = { initializer_range: 0.1 };
const recipe = (epochs: number, learningRate: number) => ({ epochs, batchSize: 8, learningRate, seed: 0 });

/** Training of each toy. */
export const TOYS: Readonly<Record<string, ToyForm>> = {
  hyenadna: { config: WIDE, length: 350, recipe: recipe(6, 4e-3) },
  "mistral-dna": { config: WIDE, length: 350, recipe: recipe(8, 4e-3) },
  dnabert2: { config: WIDE, length: 350, recipe: recipe(36, 5e-3), pairs: 120 },
  "gena-lm": { config: WIDE, length: 350, recipe: recipe(12, 4e-3), pairs: 120 },
  // 2-mer tokens, few per sequence: attention then finds a token's neighbours in minutes
  "nucleotide-transformer": {
    config: { ...WIDE, vocab_size: 27 },
    length: 40,
    recipe: { ...recipe(80, 5e-3), batchSize: 32, hidden: 0.2 },
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

/**
 * Training of the ChromBPNet toy and the cell line of its reads. Narrow networks; accessibility has the
 * published receptive field. With the published weight of the counts' loss, predictions of so few filters
 * hardly differed between peaks.
 */
export const CHROMBPNET: { readonly cellLine: CellLine; readonly recipe: ChrombpnetRecipe } = {
  cellLine: "GM12878",
  recipe: {
    ...PUBLISHED_RECIPE,
    bias: { ...PUBLISHED_RECIPE.bias, filters: 2, dilatedLayers: 0 },
    accessibility: { ...PUBLISHED_RECIPE.accessibility, filters: 16 },
    // no enzyme bias is planted: all windows without a peak may train the bias
    biasThreshold: 5,
    negativesPerPeak: 0.25,
    jitter: 0,
    countsWeight: 2,
    learningRate: 3e-3,
    batchSize: 4,
    epochs: 20,
    patience: 6,
    seed: 0,
  },
};
