import { InputError, InternalError } from "../../../base/errors.ts";
import {
  abs,
  and,
  argMax,
  cast,
  constant,
  equal,
  fill,
  greater,
  lessOrEqual,
  mul,
  range,
  reduceSum,
  scalar,
  squeeze,
  sub,
  unsqueeze,
  where,
} from "../../../net/graph/build.ts";
import type { Dim } from "../../../net/graph/dim.ts";
import type { Sym } from "../../../net/graph/sym.ts";
import { causalBias, LOWEST } from "../../../net/nn/attention.ts";
import { type Embedding, embed, type Linear, linear } from "../../../net/nn/linear.ts";
import type { Norm } from "../../../net/nn/norm.ts";
import { applyRotary, type RotaryAngles, rotaryAnglesAt } from "../../../net/nn/position-encoding.ts";
import { everyToken, oneToken, type Queries, stateAt } from "../../../net/nn/queries.ts";
import { type RotaryForm, rotaryAmplitude, scaledFrequencies } from "../../../net/nn/rotary-scaling.ts";
import type { Architecture, ClassifierHead, ForwardInput, ForwardOutput } from "../architecture.ts";
import type { LoraAdapters } from "../lora.ts";
import { ParameterTable } from "../parameters.ts";
import { bertInitial } from "./bert.ts";

// axes: b batch · t tokens · q queries · d width · c width of a head

/** Some tokens of each row, with their rotary angles and their attention bias. */
export interface QueryContext extends Queries {
  /** Absent without rotary positions. */
  readonly angles: RotaryAngles | undefined;
  /** Attention bias of these tokens against all tokens: [b, 1, q, t]. */
  readonly bias: Sym;
}

/** Arguments of a layer in addition to its parameters and its input. */
export interface LayerContext {
  /** 0-based number of the layer. */
  readonly index: number;
  /** Tokens whose output the layer computes. */
  readonly queries: QueryContext;
  /** All tokens: those of the keys and values. */
  readonly keys: QueryContext;
  readonly input: ForwardInput;
}

/** Position encoding and window of one layer's attention. */
export interface LayerPositions {
  readonly rotary?: RotaryForm;
  /**
   * Causal attention: number of tokens that a token attends to, itself included. Bidirectional attention:
   * largest distance. Undefined: no limit.
   */
  readonly window?: number | undefined;
}

export interface TransformerParameters<P> {
  readonly words: Embedding;
  readonly layers: readonly P[];
  readonly lastNorm: Norm;
  /** Absent from a checkpoint fine-tuned for classification. */
  readonly head: Linear | undefined;
}

/** Sizes and functions of a family of transformers; `P` are the parameters of its layers. */
export interface TransformerFamily<P, All extends TransformerParameters<P> = TransformerParameters<P>> {
  readonly width: number;
  readonly layers: number;
  readonly vocabulary: number;
  readonly maxTokens: number;
  readonly liveValuesPerToken: number;
  readonly liveValuesPerPair: number;
  /** A causal token attends to itself and the tokens before it. */
  readonly attention: "causal" | "bidirectional";
  /** Declares every tensor under the names that the family's checkpoints use. */
  declare(table: ParameterTable): All;
  /** x⁰ [b, t, d]; E[ids] if absent. */
  embed?(p: All, input: ForwardInput, all: Queries): Sym;
  positions(layer: number): LayerPositions;
  /** One layer.  x: [b, t, d] → [b, q, d] */
  layer(p: P, x: Sym, context: LayerContext): Sym;
  lastNorm(p: Norm, x: Sym): Sym;
  /** True if the official code's `hidden_states` end with xⁿ instead of h. */
  readonly statesBeforeNorm?: true;
  /** Logits from h, the last hidden state: [b, q, d] → [b, q, v]; W·h if absent. */
  logits?(p: All, h: Sym): Sym;
  /** Names of further tensors that a checkpoint may contain. */
  readonly ignored: readonly RegExp[];
  /** Name of the module whose weights LoRA adapts. */
  readonly adaptedModule: string;
  /** Standard deviation of the initial weights. */
  readonly initializerRange: number;
  classifier(labels: number): ClassifierHead;
}

/**
 * A Transformer whose layers add to a residual stream:
 *
 *     x⁰ = embed(ids);  xⁱ = layerᵢ(xⁱ⁻¹), i = 1 … n;  h = norm(xⁿ);  logits = W·h
 *
 * @param lora  factors added to the weights, for fine-tuning
 */
export function transformerArchitecture<P, All extends TransformerParameters<P>>(
  family: TransformerFamily<P, All>,
  lora?: LoraAdapters,
): Architecture {
  const table = new ParameterTable(lora);
  const p = family.declare(table);
  return {
    width: family.width,
    layers: family.layers,
    vocabulary: family.vocabulary,
    maxTokens: family.maxTokens,
    tensors: [...table.tensors.values()],
    ignored: family.ignored,
    takesMask: true,
    fixedLength: false,
    liveValuesPerToken: family.liveValuesPerToken,
    liveValuesPerPair: family.liveValuesPerPair,
    forward: (input, tokens) => forward(family, p, input, tokens),
    forwardAt: (input, positions, tokens) => forward(family, p, input, tokens, positions),
    classifier: (labels) => family.classifier(labels),
    adaptedModules: [family.adaptedModule],
    withLora: (factors) => transformerArchitecture(family, factors),
    initializer: (tensor) => bertInitial(tensor, family.initializerRange),
  };
}

/** With `positions`, int32 [b], the last layer and the head compute one token per row: q = 1. */
function forward<P, All extends TransformerParameters<P>>(
  family: TransformerFamily<P, All>,
  p: All,
  input: ForwardInput,
  tokens: Dim,
  positions?: Sym,
): ForwardOutput {
  const everyQuery = everyToken(tokens);
  const lastQueries = positions === undefined ? everyQuery : oneToken(positions);
  const contexts = new Map<string, QueryContext>();
  const contextOf = (queries: Queries, positions: LayerPositions): QueryContext => {
    const key = JSON.stringify([queries === everyQuery, positions]);
    const known = contexts.get(key) ?? queryContext(family.attention, positions, input, tokens, queries);
    contexts.set(key, known);
    return known;
  };
  const states = [family.embed?.(p, input, everyQuery) ?? embed(p.words, input.ids)];
  p.layers.forEach((each, index) => {
    const positions = family.positions(index);
    const keys = contextOf(everyQuery, positions);
    const queries = index === p.layers.length - 1 ? contextOf(lastQueries, positions) : keys;
    states.push(family.layer(each, states[index], { index, queries, keys, input }));
  });
  const lastHidden = family.lastNorm(p.lastNorm, states[p.layers.length]);
  return {
    hiddenStates: family.statesBeforeNorm ? states : [...states.slice(0, -1), lastHidden],
    lastHidden,
    get logits() {
      return family.logits?.(p, lastHidden) ?? linear(headOf(p), lastHidden);
    },
  };
}

function queryContext(
  attention: TransformerFamily<unknown>["attention"],
  { rotary, window }: LayerPositions,
  { mask }: ForwardInput,
  tokens: Dim,
  queries: Queries,
): QueryContext {
  const bias = attention === "causal" ? causalBias : bidirectionalBias;
  return {
    ...queries,
    angles: rotary && anglesAt(queries.positions, rotary),
    bias: bias(queries, tokens, { mask, window }),
  };
}

/** @throws {InternalError} when the family has no rotary positions */
export function anglesOf({ angles }: QueryContext): RotaryAngles {
  if (angles === undefined) throw new InternalError("the family has no rotary positions");
  return angles;
}

/** Rotates heads at the context's tokens.  x: [b, h, q, c] → the same */
export const rotated = (x: Sym, context: QueryContext) => applyRotary(x, anglesOf(context));

function anglesAt(positions: Sym, rotary: RotaryForm): RotaryAngles {
  const data = scaledFrequencies(rotary);
  const { cos, sin } = rotaryAnglesAt(positions, constant({ dtype: "float32", shape: [data.length], data }));
  const amplitude = rotaryAmplitude(rotary);
  return amplitude === 1 ? { cos, sin } : { cos: mul(cos, amplitude), sin: mul(sin, amplitude) };
}

/**
 * Attention bias that masks padding and tokens farther away than the window: 0 where a query attends, the
 * lowest float32 where it does not.
 *
 * @returns [b, 1, q, t]
 */
function bidirectionalBias(
  { positions }: Queries,
  tokens: Dim,
  { mask, window }: { readonly mask?: Sym | undefined; readonly window?: number | undefined },
): Sym {
  const distance = abs(sub(unsqueeze(positions, 2), cast(range(tokens), "float32"))); // [b, q, t]
  const near = lessOrEqual(distance, window ?? Number.MAX_SAFE_INTEGER);
  const seen = mask === undefined ? near : and(near, greater(unsqueeze(mask, 1), 0));
  return unsqueeze(where(seen, scalar(0), LOWEST), 1);
}

function headOf({ head }: TransformerParameters<unknown>): Linear {
  if (head !== undefined) return head;
  throw new InputError("this checkpoint is fine-tuned for classification and has no language-model head", {
    hint: "use it for embeddings, and its base checkpoint for likelihoods",
  });
}

/**
 * Transformers' `ForSequenceClassification` of decoders: the dense layer `score` on the state of one token.
 *
 * @param positionOf  position of the token, int32 [b]; by default the last token that is not padding
 */
export function lastTokenClassifier(
  width: number,
  labels: number,
  positionOf: (input: ForwardInput) => Sym = lastToken,
): ClassifierHead {
  const table = new ParameterTable();
  const score = table.linear("score", width, labels, { bias: false });
  return {
    tensors: [...table.tensors.values()],
    logits: ({ lastHidden }, input) => linear(score, squeeze(stateAt(lastHidden, positionOf(input)), 1)),
  };
}

/** Position of the last token that is not padding, for rows padded on the right: int32 [b]. */
const lastToken = ({ ids, mask }: ForwardInput): Sym =>
  sub(cast(reduceSum(mask ?? fill(ids.shape, 1), [1]), "int32"), 1);

/**
 * Position before a row's first padding token: int32 [b]. It is −1, which indexes the last token, for rows
 * without padding and for rows that begin with it, as in Transformers.
 */
export const beforePadding =
  (pad: number) =>
  ({ ids }: ForwardInput): Sym =>
    sub(argMax(cast(equal(ids, pad), "int32"), 1), 1);
