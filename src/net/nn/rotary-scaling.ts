import { rotaryFrequencies } from "./position-encoding.ts";

/** Scaling of the rotary frequencies in models whose context was extended after pretraining. */
export type RotaryScaling =
  /** Divides all frequencies by `factor`. */
  | { readonly kind: "linear"; readonly factor: number }
  /** Llama 3.1: divides only the frequencies of long wavelengths. */
  | {
      readonly kind: "llama3";
      readonly factor: number;
      /** Frequencies of wavelengths above `tokens` / `low` are divided, below `tokens` / `high` kept. */
      readonly low: number;
      readonly high: number;
      /** Context of pretraining in tokens. */
      readonly tokens: number;
    }
  /** YaRN (Peng et al. 2023, arXiv:2309.00071, section 3). */
  | {
      readonly kind: "yarn";
      readonly factor: number;
      /** Frequencies of fewer than `slow` rotations over `tokens` are divided, of more than `fast` kept. */
      readonly fast: number;
      readonly slow: number;
      readonly tokens: number;
      /** True rounds the ends of the ramp between both to whole columns. */
      readonly whole: boolean;
      /** Factor of the cosines and sines. */
      readonly amplitude: number;
    };

/** Rotary positions of a model. */
export interface RotaryForm {
  /** Columns of a head that rotate. */
  readonly width: number;
  /** Base of the frequencies. */
  readonly base: number;
  readonly scaling?: RotaryScaling | undefined;
}

/** Radians per position by which each pair of columns rotates: [width / 2] */
export function scaledFrequencies({ width, base, scaling }: RotaryForm): Float32Array {
  const frequencies = rotaryFrequencies(width, base);
  if (scaling === undefined) return frequencies;
  const divided = dividedShare(scaling, { width, base });
  return frequencies.map((f, j) => {
    const share = divided(f, j);
    return share * (f / scaling.factor) + (1 - share) * f;
  });
}

/** Weight, from 0 to 1, of the divided frequency against the original one, per pair of columns. */
function dividedShare(
  scaling: RotaryScaling,
  { width, base }: Pick<RotaryForm, "width" | "base">,
): (frequency: number, pair: number) => number {
  switch (scaling.kind) {
    case "linear":
      return () => 1;
    case "llama3": {
      const { low, high, tokens } = scaling;
      return (f) => 1 - clamp(((tokens * f) / (2 * Math.PI) - low) / (high - low));
    }
    case "yarn": {
      const { fast, slow, tokens, whole } = scaling;
      /** Pair of columns, as a real number, that makes this number of turns over `tokens`. */
      const pairOf = (turns: number) =>
        (width * Math.log(tokens / (turns * 2 * Math.PI))) / (2 * Math.log(base));
      const first = Math.max(whole ? Math.floor(pairOf(fast)) : pairOf(fast), 0);
      const last = Math.min(whole ? Math.ceil(pairOf(slow)) : pairOf(slow), width - 1);
      const length = last === first ? 0.001 : last - first;
      return (_, pair) => clamp((pair - first) / length);
    }
  }
}

const clamp = (x: number) => Math.min(Math.max(x, 0), 1);

/** Factor of the cosines and sines. */
export const rotaryAmplitude = ({ scaling }: RotaryForm): number =>
  scaling?.kind === "yarn" ? scaling.amplitude : 1;
