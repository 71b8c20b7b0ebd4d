import { z } from "zod";
import type { RotaryForm, RotaryScaling } from "../../../net/nn/rotary-scaling.ts";

/** `dynamic` changes frequencies only for inputs longer than the context, which are rejected. */
const kindSchema = z.enum(["default", "linear", "dynamic", "llama3", "yarn"]);

const factor = () => z.number().positive().nullish();

const fields = z.object({
  rope_type: kindSchema.optional(),
  type: kindSchema.optional(),
  rope_theta: z.number().positive().optional(),
  partial_rotary_factor: z.number().positive().max(1).optional(),
  factor: factor(),
  original_max_position_embeddings: factor(),
  low_freq_factor: factor(),
  high_freq_factor: factor(),
  attention_factor: factor(),
  mscale: factor(),
  mscale_all_dim: factor(),
  beta_fast: factor(),
  beta_slow: factor(),
  truncate: z.boolean().default(true),
});

type Rope = z.output<typeof fields>;

const kindOf = ({ rope_type, type }: Rope) => rope_type ?? type ?? "default";

/** Keys that a kind of scaling requires. */
const REQUIRED: Readonly<Record<string, readonly (keyof Rope)[]>> = {
  linear: ["factor"],
  llama3: ["factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"],
};

/**
 * Schema of the rotary positions in config.json: `rope_parameters` of Transformers 5, `rope_scaling` of
 * earlier versions.
 */
export const ropeSchema = () =>
  fields
    .superRefine((rope, context) => {
      for (const key of REQUIRED[kindOf(rope)] ?? []) {
        if (rope[key] == null)
          context.addIssue({ code: "custom", path: [key], message: "expected a number" });
      }
    })
    .nullish();

/**
 * Rotary positions of a model.
 *
 * @param rope       `rope_parameters` or `rope_scaling`
 * @param headWidth  columns of a head
 * @param base       base of the frequencies if `rope` has none
 * @param context    length of the context in tokens
 * @param share      fraction of a head's columns that rotate, if `rope` has none; 1 by default
 */
export function rotaryForm(
  rope: Rope | null | undefined,
  { headWidth, base, context, share = 1 }: RotaryDefaults,
): RotaryForm {
  const width = Math.floor(headWidth * (rope?.partial_rotary_factor ?? share));
  return { width, base: rope?.rope_theta ?? base, scaling: rope ? scalingOf(rope, context) : undefined };
}

interface RotaryDefaults {
  readonly headWidth: number;
  readonly base: number;
  readonly context: number;
  readonly share?: number;
}

function scalingOf(rope: Rope, context: number): RotaryScaling | undefined {
  const tokens = rope.original_max_position_embeddings ?? context;
  const factor = rope.factor ?? context / tokens;
  switch (kindOf(rope)) {
    case "linear":
      return { kind: "linear", factor };
    case "llama3":
      return {
        kind: "llama3",
        factor,
        low: rope.low_freq_factor ?? 1,
        high: rope.high_freq_factor ?? 4,
        tokens,
      };
    case "yarn":
      return {
        kind: "yarn",
        factor,
        fast: rope.beta_fast ?? 32,
        slow: rope.beta_slow ?? 1,
        tokens,
        whole: rope.truncate,
        amplitude: rope.attention_factor ?? amplitudeOf(rope, factor),
      };
    default:
      return undefined;
  }
}

/**
 * YaRN's factor of cosines and sines: 0.1·ln(factor) + 1 (Peng et al. 2023, arXiv:2309.00071, eq. 22), or the
 * ratio of two such terms.
 */
function amplitudeOf({ mscale, mscale_all_dim }: Rope, factor: number): number {
  const term = (weight: number) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
  return mscale && mscale_all_dim ? term(mscale) / term(mscale_all_dim) : term(1);
}
