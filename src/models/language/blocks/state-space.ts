import { add, transpose, unsqueeze } from "../../../net/graph/build.ts";
import type { Sym } from "../../../net/graph/sym.ts";
import { embed, linear } from "../../../net/nn/linear.ts";
import { rmsNorm } from "../../../net/nn/norm.ts";
import type { Architecture, ForwardInput, ForwardOutput, InitialLaw } from "../architecture.ts";
import type { LoraAdapters } from "../lora.ts";
import { type DeclaredTensor, ParameterTable } from "../parameters.ts";
import { lastTokenClassifier } from "./transformer.ts";

// axes: t tokens · b rows · d width · v vocabulary; tokens first, as loops over tokens need

/** Arguments of a mixer next to its parameters and its input. */
export interface MixerForm {
  /** True computes recurrences in a loop over the tokens, false by one operator for all of them. */
  readonly loops: boolean;
  /** [t, b, 1], 0 for padding; absent for rows without padding. */
  readonly mask: Sym | undefined;
}

/**
 * Sizes and functions of a causal state-space model in Transformers' layout; `P` are a mixer's parameters.
 */
export interface StateSpaceFamily<P> {
  readonly width: number;
  readonly layers: number;
  readonly vocabulary: number;
  readonly epsilon: number;
  /** The head has the weights of the embedding. */
  readonly tied: boolean;
  readonly liveValuesPerToken: number;
  /** Float32 values of the state that a row carries between tokens. */
  readonly stateValues: number;
  declare(table: ParameterTable, at: string): P;
  /** [t, b, d] → the same */
  mixer(p: P, x: Sym, form: MixerForm): Sym;
  initial(tensor: DeclaredTensor): InitialLaw;
}

/** Float32 values of the states of all rows up to which a step of the loop stays in the cache. */
const CACHED_VALUES = 2 ** 18;

/**
 * x⁰ = E[ids]; xⁱ = xⁱ⁻¹ + mixerᵢ(RMS(xⁱ⁻¹)), i = 1 … n; h = RMS(xⁿ); logits = W·h.
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
    mostRowsPerRun: Math.ceil(CACHED_VALUES / family.stateValues),
    forward: (input) => forward(family, p, input),
    classifier: (labels) => lastTokenClassifier(family.width, labels),
    wrapped: ["backbone"],
    adapted: (factors) => stateSpaceArchitecture(family, factors),
    initial: (tensor) => family.initial(tensor),
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

/** The official code's `hidden_states` begin with the first layer's output. */
function forward<P>(
  family: StateSpaceFamily<P>,
  p: ReturnType<typeof declare<P>>,
  { ids, mask, loops = true }: ForwardInput,
): ForwardOutput {
  const form = { loops, mask: mask && unsqueeze(transpose(mask, [1, 0]), 2) };
  const rowsFirst = (x: Sym) => transpose(x, [1, 0, 2]);
  const states = [embed(p.words, transpose(ids, [1, 0]))];
  for (const { norm, mixer } of p.layers) {
    const x = states.at(-1)!;
    states.push(add(x, family.mixer(mixer, rmsNorm(norm, x, family.epsilon), form)));
  }
  const lastHidden = rowsFirst(rmsNorm(p.lastNorm, states.at(-1)!, family.epsilon));
  return {
    hiddenStates: [...states.slice(1).map(rowsFirst), lastHidden],
    lastHidden,
    logits: linear(p.head, lastHidden),
  };
}

/** Distribution of time steps of an untrained model. */
export interface TimeSteps {
  readonly min: number;
  readonly max: number;
  readonly floor: number;
}

/** The b with softplus(b) = τ, for τ log-uniform between the limits, of a uniform u. */
export const stepBias = ({ min, max, floor }: TimeSteps): InitialLaw => ({
  kind: "drawn",
  value(u) {
    const step = Math.max(floor, min * (max / min) ** u);
    return step + Math.log(-Math.expm1(-step));
  },
});
