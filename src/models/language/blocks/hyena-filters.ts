import { dataOf, type NdArray } from "../../../net/arrays/array.ts";

// axes: t tokens · d channels · n modes of a filter · g groups of channels that share a filter

/** Parametrisation of a Hyena operator's filters. */
export type FilterForm =
  /** Sums of n exponentials per channel: complex in StripedHyena, real in StripedHyena 2. */
  | { readonly kind: "complex" | "real"; readonly modes: number }
  /** One weight per distance, shared by the channels of a group. */
  | { readonly kind: "taps"; readonly taps: number; readonly groups: number };

/** Filters of fewer taps are stored with the farthest tap first and have no skip connection. */
const LONG_TAPS = 128;

/** Names and shapes of a filter's tensors. */
export function storedFilter(
  filter: FilterForm,
  d: number,
): readonly (readonly [string, readonly number[]])[] {
  switch (filter.kind) {
    case "complex":
      return ["poles", "residues"].map((name) => [name, [d, filter.modes, 1, 2]] as const);
    case "real":
      return [
        ["log_poles", [d, filter.modes, 1]],
        ["residues", [d, filter.modes]],
      ];
    case "taps":
      return [["h", [filter.groups, 1, filter.taps]]];
  }
}

/** True for filters that `longConvolution` computes. They have a skip connection. */
export const isLong = (filter: FilterForm) => filter.kind !== "taps" || filter.taps >= LONG_TAPS;

/**
 * Computes the taps of a long filter for rows of `tokens` tokens.
 *
 * @param read  reads a tensor of `storedFilter` by its name
 * @returns     [t, d], row-major
 */
export async function longFilter(
  filter: FilterForm,
  { width, tokens }: { readonly width: number; readonly tokens: number },
  read: (name: string) => Promise<NdArray>,
): Promise<Float32Array> {
  const values = async (name: string) => dataOf(await read(name), "float32");
  const groups = filter.kind === "taps" ? filter.groups : width;
  const addTo =
    filter.kind === "taps"
      ? taps(await values("h"), filter.taps)
      : filter.kind === "complex"
        ? complexModes(await values("poles"), await values("residues"), filter.modes)
        : realModes(await values("log_poles"), await values("residues"), filter.modes);
  const data = new Float32Array(tokens * width);
  const channel = new Float64Array(tokens);
  for (let group = 0; group < groups; group++) {
    addTo(group, channel.fill(0));
    const from = (group * width) / groups;
    for (let position = 0; position < tokens; position++) {
      data.fill(channel[position], position * width + from, position * width + from + width / groups);
    }
  }
  return data;
}

/** Writes the taps k[τ], τ = 0 … t − 1, of one channel or group into an array of zeros. */
type Filters = (channel: number, into: Float64Array) => void;

/**
 * k[τ, d] = Σₙ Re(r[d, n] · p[d, n]^τ) (Massaroli et al. 2023, arXiv:2310.18780), in float64. The official
 * code uses float32, whose error of a pole's phase grows to 0.001 after 8,192 positions.
 *
 * @param poles     p, [d, n, 2], real and imaginary part
 * @param residues  r, [d, n, 2]
 */
const complexModes =
  (poles: Float32Array, residues: Float32Array, modes: number): Filters =>
  (d, into) => {
    for (let at = 2 * modes * d; at < 2 * modes * (d + 1); at += 2) {
      const [pr, pi] = [poles[at], poles[at + 1]];
      let [re, im] = [residues[at], residues[at + 1]];
      for (let position = 0; position < into.length; position++) {
        into[position] += re;
        const next = re * pr - im * pi;
        im = re * pi + im * pr;
        re = next;
      }
    }
  };

/** k[τ, d] = Σₙ r[d, n] · exp(λ[d, n]·τ) in float64, with λ = `logPoles` and r = `residues`, each [d, n]. */
const realModes =
  (logPoles: Float32Array, residues: Float32Array, modes: number): Filters =>
  (d, into) => {
    for (let at = modes * d; at < modes * (d + 1); at++) {
      for (let position = 0; position < into.length; position++) {
        into[position] += residues[at] * Math.exp(logPoles[at] * position);
      }
    }
  };

/** k[τ, g] = h[g, τ], and 0 beyond the stored taps.  h: [g, taps] */
const taps =
  (h: Float32Array, count: number): Filters =>
  (group, into) =>
    into.set(h.subarray(group * count, group * count + Math.min(count, into.length)));
