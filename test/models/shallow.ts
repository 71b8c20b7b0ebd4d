import type { LanguageModelCard } from "../../src/models/language/card.ts";

type Config = Readonly<Record<string, unknown>>;

/**
 * A card with smaller toys of the families whose toys take the longest: fewer layers in Caduceus and BERT,
 * one of each kind in StripedHyena, because the time to open a graph grows with its layers; and narrower
 * layers in families whose likelihoods take a run per base.
 */
export function shallow(card: LanguageModelCard): LanguageModelCard {
  const smaller = SIZES[card.name] ?? {};
  const toys = Object.entries(card.toys).map(([preset, config]): [string, Config] => [
    preset,
    { ...config, ...smaller },
  ]);
  return { ...card, toys: Object.fromEntries(toys) };
}

const NARROW = { hidden_size: 8, intermediate_size: 16, num_attention_heads: 1 };

const SIZES: Readonly<Record<string, Config>> = {
  bert: { ...NARROW, num_hidden_layers: 1 },
  caduceus: { n_layer: 1 },
  esm: NARROW,
  gpn: { hidden_size: 8, intermediate_size: 16 },
  mamba: { hidden_size: 16 },
  modernbert: NARROW,
  stripedhyena: { hidden_size: 16, num_layers: 2, hyena_layer_idxs: [0], attn_layer_idxs: [1] },
  stripedhyena2: { hidden_size: 16 },
};
