import { z } from "zod";

const TYPES = ["full_attention", "sliding_attention"] as const;

export type LayerType = (typeof TYPES)[number];

/** `layer_types` in config.json, since version 4.53 of Transformers: tokens that each layer attends to. */
export const layerTypesSchema = () => z.array(z.enum(TYPES)).nullish();

/** Condition and error for `refine`: a type for each layer. */
export const everyLayerHasType = (c: {
  readonly layer_types?: readonly LayerType[] | null | undefined;
  readonly num_hidden_layers: number;
}) => c.layer_types == null || c.layer_types.length === c.num_hidden_layers;
export const LAYER_TYPES_FIT = { path: ["layer_types"], error: "expected one type per layer" };
