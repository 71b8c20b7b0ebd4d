import { add, mul, transpose, unsqueeze } from "../../../net/graph/build.ts";
import type { Sym } from "../../../net/graph/sym.ts";
import { embed, linear } from "../../../net/nn/linear.ts";
import { rmsNorm } from "../../../net/nn/norm.ts";
import type { Architecture, ForwardInput, ForwardOutput, Initializer } from "../architecture.ts";
import type { LoraAdapters } from "../lora.ts";
import { type DeclaredTensor, ParameterTable } from "../parameters.ts";
import { lastTokenClassifier } from "./transformer.ts";

// axes: t tokens · b batch · d width · v vocabulary. Tokens are the first axis, as in a loop over tokens.

/** Arguments of a mixer in addition to its parameters and its input. */
export interface MixerOptions {
  /** True computes recurrences by a loop over the tokens, false by one operator for all tokens. */
  readonly loops: boolean;
  /** [t, b, 1], 1 for a token and 0 for padding; absent for rows without padding. */
  readonly mask: Sym | undefined;
}

/** x with zeros at padding; x itself without a mask. */
export const masked = (x: Sym, mask: Sym | undefined): Sym => (mask === undefined ? x : mul(x, mask));

/**
 * Sizes and functions of a causal state-space model with the module names of Transformers; `P` are a mixer's
 * parameters.
 */
export interface StateSpaceFamily<P> {
  readonly width: number;
  readonly layers: number;
  readonly vocabulary: number;
  readonly epsilon: number;
  /** True if the head has the weights of the embedding. */
  readonly tied: boolean;
  readonly liveValuesPerToken: number;
  /** Float32 values of the state that a row carries between tokens. */
  readonly stateValues: number;
  declare(table: ParameterTable, at: string): P;
  /** x: [t, b, d] → the same */
  mixer(p: P, x: Sym, options: MixerOptions): Sym;
  initial(tensor: DeclaredTensor): Initializer;
}

/**
 * Number of float32 values in the states of all rows up to which a step of the loop fits into the CPU cache.
 */
export const CACHED_VALUES = 2 ** 18;

/**
 * A causal state-space model:
 *
 *     x⁰ = E[ids];  xⁱ = xⁱ⁻¹ + mixerᵢ(RMS(xⁱ⁻¹)), i = 1 … n;  h = RMS(xⁿ);  logits = W·h
 *
 * @param lora  factors added to the weights, for fine-tuning
 */
export function stateSpaceArchitecture<P>(family: StateSpaceFamily<P>, lora?: LoraAdapters): Architecture {
  const table = new ParameterTable(lora);
  const p = declare(table, family);
  return {
    width: family.width,
    layers: family.layers,
    vocabulary: family.vocabulary,
    maxTokens: Number.POSITIVE_INFINITY,
    tensors: [...table.tensors.values()],
    ignored: [/^score\./],
    takesMask: true,
    fixedLength: false,
    liveValuesPerToken: family.liveValuesPerToken,
    maxRowsPerRun: Math.ceil(CACHED_VALUES / family.stateValues),
    forward: (input) => forward(family, p, input),
    classifier: (labels) => lastTokenClassifier(family.width, labels),
    adaptedModules: ["backbone"],
    withLora: (factors) => stateSpaceArchitecture(family, factors),
    initializer: (tensor) => family.initial(tensor),
  };
}

function declare<P>(table: ParameterTable, family: StateSpaceFamily<P>) {
  const { width, vocabulary, tied } = family;
  const norm = (at: string) => table.norm(at, width, { bias: false });
  const words = table.embedding("backbone.embeddings", vocabulary, width, {
    // checkpoints of the package mamba_ssm have the singular
    aliases: ["backbone.embedding.weight", ...(tied ? ["lm_head.weight"] : [])],
  });
  return {
    words,
    layers: Array.from({ length: family.layers }, (_, i) => ({
      norm: norm(`backbone.layers.${i}.norm`),
      mixer: family.declare(table, `backbone.layers.${i}.mixer`),
    })),
    lastNorm: norm("backbone.norm_f"),
    head: tied ? { weight: words.weight } : table.linear("lm_head", width, vocabulary, { bias: false }),
  };
}

/** The forward pass. As in the official code, `hiddenStates` begins with the output of the first layer. */
function forward<P>(
  family: StateSpaceFamily<P>,
  p: ReturnType<typeof declare<P>>,
  { ids, mask, loops = true }: ForwardInput,
): ForwardOutput {
  const options = { loops, mask: mask && unsqueeze(transpose(mask, [1, 0]), 2) };
  const batchFirst = (x: Sym) => transpose(x, [1, 0, 2]);
  const states = [embed(p.words, transpose(ids, [1, 0]))]; // [t, b, d]
  for (const [i, { norm, mixer }] of p.layers.entries()) {
    const x = states[i];
    states.push(add(x, family.mixer(mixer, rmsNorm(norm, x, family.epsilon), options)));
  }
  const lastHidden = batchFirst(rmsNorm(p.lastNorm, states[p.layers.length], family.epsilon));
  return {
    hiddenStates: [...states.slice(1).map(batchFirst), lastHidden],
    lastHidden,
    logits: linear(p.head, lastHidden),
  };
}

/**
 * Distribution of the time steps Δ of an untrained model: log-uniform from `min` to `max`, at least `floor`.
 */
export interface TimeSteps {
  readonly min: number;
  readonly max: number;
  readonly floor: number;
}

/** Initial bias b of the time steps: softplus(b) has the distribution of `TimeSteps`. */
export const stepBias = ({ min, max, floor }: TimeSteps): Initializer => ({
  kind: "quantile",
  quantile(u) {
    const step = Math.max(floor, min * (max / min) ** u);
    return step + Math.log(-Math.expm1(-step));
  },
});
