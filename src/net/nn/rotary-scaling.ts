import { rotaryFrequencies } from "./position-encoding.ts";

/** Change of the rotary frequencies of a model whose context was extended after pretraining. */
export type RotaryScaling =
  /** All frequencies divided by `factor`. */
  | { readonly kind: "linear"; readonly factor: number }
  /** Llama 3.1: only wavelengths that are long compared with the first context. */
  | {
      readonly kind: "llama3";
      readonly factor: number;
      /** Wavelengths above `tokens` / `low` are divided, below `tokens` / `high` kept. */
      readonly low: number;
      readonly high: number;
      /** Context of pretraining. */
      readonly tokens: number;
    }
  /** YaRN (Peng et al. 2023, arXiv:2309.00071, section 3). */
  | {
      readonly kind: "yarn";
      readonly factor: number;
      /**
       * Columns that rotate fewer than `slow` times over `tokens` are divided, more than `fast` times kept.
       */
      readonly fast: number;
      readonly slow: number;
      readonly tokens: number;
      /** The ends of the ramp between them are whole columns. */
      readonly whole: boolean;
      /** Factor of cosines and sines. */
      readonly amplitude: number;
    };

/** Rotary positions: rotated columns of a head, base of the frequencies, their scaling. */
export interface RotaryForm {
  readonly width: number;
  readonly base: number;
  readonly scaling?: RotaryScaling | undefined;
}

/** Angle per position of each pair of columns: [c/2], radians. */
export function scaledFrequencies({ width, base, scaling }: RotaryForm): Float32Array {
  const frequencies = rotaryFrequencies(width, base);
  if (scaling === undefined) return frequencies;
  const divided = dividedShare(scaling, { width, base });
  return frequencies.map((f, j) => {
    const share = divided(f, j);
    return share * (f / scaling.factor) + (1 - share) * f;
  });
}

/** Share in which the frequency of a pair of columns is divided, from 0 to 1. */
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
      /** Pair of columns that rotates this often. */
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

/** Factor of cosines and sines. */
export const rotaryAmplitude = ({ scaling }: RotaryForm): number =>
  scaling?.kind === "yarn" ? scaling.amplitude : 1;
