import { z } from "zod";
import { FormatError, InternalError } from "../../base/errors.ts";
import { issueText } from "../../base/json.ts";
import { quotedText, shownValue } from "../../base/message-text.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import type { Dim } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { ACTIVATIONS, type Activation } from "../../net/nn/activation.ts";
import type { Dropout } from "../../net/nn/dropout.ts";
import type { Linear } from "../../net/nn/linear.ts";
import type { LoraAdapters } from "./lora.ts";
import type { DeclaredTensor } from "./parameters.ts";

/**
 * Inputs of a language model's forward pass.
 * Axes: b batch · t tokens · d width · v vocabulary.
 */
export interface ForwardInput {
  /** int32 [b, t] */
  readonly ids: Sym;
  /** float32 [b, t], 1 for a token and 0 for padding; absent for a model that takes no attention mask. */
  readonly mask?: Sym | undefined;
  /** Form of recurrences along the tokens: a loop, or one operator for all tokens; true if absent. */
  readonly loops?: boolean;
  /** Dropout of activations, in a graph for training; absent elsewhere. */
  readonly dropout?: Dropout | undefined;
  /**
   * In a training graph, called with layers that a batch may skip, and a scalar bool that says if the batch
   * used them.
   */
  readonly reached?: ((layers: readonly Linear[], whether: Sym) => void) | undefined;
}

export interface ForwardOutput {
  /** `hidden_states` of the official code, embeddings first: each [b, t, d]. */
  readonly hiddenStates: readonly Sym[];
  /** Last hidden state, used for embeddings: [b, t, d']. */
  readonly lastHidden: Sym;
  /** [b, t, v] */
  readonly logits: Sym;
}

/** Classification head for fine-tuning. Its tensors are absent from pretrained checkpoints. */
export interface ClassifierHead {
  readonly tensors: readonly DeclaredTensor[];
  /** [b, labels], from a state that is pooled as in the family's official code. */
  logits(output: ForwardOutput, input: ForwardInput): Sym;
}

/** Distribution of a tensor of an untrained model. */
export type InitialLaw =
  | { readonly kind: "normal"; readonly deviation: number }
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "constant"; readonly value: number }
  /** A function of u, uniform in [0, 1). */
  | { readonly kind: "drawn"; readonly value: (u: number) => number }
  | { readonly kind: "values"; readonly values: () => Float32Array | BigInt64Array };

/** Reads tensors of a checkpoint by their declared names. */
export type ReadTensor = (name: string, rows?: readonly [number, number]) => Promise<NdArray>;

/** A language model of the sizes in its config.json: parameters, forward pass, initialisation. */
export interface Architecture {
  readonly width: number;
  readonly layers: number;
  /** Rows of the logits. */
  readonly vocabulary: number;
  /** Maximum number of tokens, special tokens included; Infinity if there is no limit. */
  readonly maxTokens: number;
  /** Required tensors, by the names that checkpoints use. */
  readonly tensors: readonly DeclaredTensor[];
  /** Names of further tensors that a checkpoint may contain. */
  readonly ignored: readonly RegExp[];
  /**
   * The graph has the input `mask`. A model without it is given rows of equal length, or rows padded as in
   * the original.
   */
  readonly takesMask: boolean;
  /** The number of tokens must be known when the graph is built. */
  readonly fixedLength: boolean;
  /**
   * The graph for rows of `tokens` tokens. Parameters are named as in `tensors`, derived ones as in `derive`.
   */
  forward(input: ForwardInput, tokens: Dim): ForwardOutput;
  /**
   * The forward pass with the last layer and the head computed for one token of each row: `lastHidden` [b, 1,
   * d'] and `logits` [b, 1, v]. Absent where this saves nothing.
   *
   * @param positions  int32 [b], 0-based
   */
  forwardAt?(input: ForwardInput, positions: Sym, tokens: Dim): ForwardOutput;
  /** Constants computed once from the checkpoint, by parameter name, for rows of this many tokens. */
  derive?(tokens: number, read: ReadTensor): Promise<ReadonlyMap<string, NdArray>>;
  /** Bytes of the derived tensors, of values that depend on them alone, and of constants in a program. */
  derivedBytes?(tokens: number): number;
  classifier(labels: number): ClassifierHead;
  /** Names of the modules that LoRA adapts; all their weights are frozen. */
  readonly wrapped: readonly string[];
  /**
   * The same model with LoRA factors added to the weights of these modules; the factors are parameters of its
   * graph.
   */
  adapted(factors: LoraAdapters): Architecture;
  /**
   * The same model with a separate tensor for each layer that shares a weight, for merging LoRA factors into
   * the weights: each layer has its own factors. Absent where no adapted layer shares its weight.
   */
  untied?(): Architecture;
  initial(tensor: DeclaredTensor): InitialLaw;
  /** Float32 values alive at once per token of a batch, for the memory estimate. */
  readonly liveValuesPerToken: number;
  /** Float32 values alive at once per pair of tokens of a row, for models with attention. */
  readonly liveValuesPerPair?: number;
  /**
   * Number of rows per run beyond which each row takes longer, because the loop's states exceed the CPU
   * cache.
   */
  readonly mostRowsPerRun?: number;
}

/** The part of an architecture that likelihoods and embeddings use. */
export type QueriedArchitecture = Pick<
  Architecture,
  "vocabulary" | "forward" | "forwardAt" | "liveValuesPerToken" | "liveValuesPerPair"
>;

/**
 * A size: an integer from 1 to a bound beyond every real model, so that a damaged file cannot exhaust memory.
 */
export const sizeSchema = (most = 1 << 20) => z.number().int().min(1).max(most);

/** A small positive number such as an epsilon. */
export const epsilonSchema = () => z.number().positive().max(1);

/** An activation function, by its name in Transformers. */
export const activationSchema = (fallback: keyof typeof ACTIVATIONS) =>
  z
    .enum(Object.keys(ACTIVATIONS) as (keyof typeof ACTIVATIONS)[])
    .default(fallback)
    .transform((name): Activation => ACTIVATIONS[name]);

/** Dropout probability; 0.1 if absent, as in Transformers. */
export const dropoutRateSchema = () => z.number().min(0).lt(1).default(0.1);

/** Keys of an object's schema, with conditions and transformations or without. */
function keysOf(schema: z.core.$ZodType): ReadonlySet<string> {
  if (schema instanceof z.ZodObject) return new Set(Object.keys(schema.shape));
  if (schema instanceof z.ZodPipe) return keysOf(schema.in);
  if (schema instanceof z.ZodUnion) return new Set(schema.options.flatMap((each) => [...keysOf(each)]));
  throw new InternalError("the schema of a config.json is not of an object");
}

/** Keys that change the forward pass of every model whose class reads them. */
const CHANGING = [
  "rope_parameters",
  "rope_scaling",
  "partial_rotary_factor",
  "layer_types",
  "quantization_config",
];

/**
 * Parses config.json by its schema. Other keys are ignored, except for those that choose positions, layers or
 * quantised weights.
 *
 * @throws {FormatError} naming the key, its value and what is expected
 */
export function parseConfig<S extends z.ZodType>(schema: S, config: unknown, file: string): z.output<S> {
  const result = schema.safeParse(config);
  if (result.success) {
    const read = keysOf(schema);
    const given = Object.entries(config as Record<string, unknown>);
    const unread = given.find(([key, value]) => value !== null && CHANGING.includes(key) && !read.has(key));
    if (unread === undefined) return result.data;
    throw new FormatError(
      { file },
      `"${unread[0]}" is ${shownValue(unread[1])}: expected null, as this architecture has no such choice`,
      "serve the model by an adapter: docs/adapters.md",
    );
  }
  const [issue] = result.error.issues;
  const { path } = issue;
  const key = path.length === 0 ? "the file" : quotedText(path.join("."));
  const found = path.reduce<unknown>(
    (at, step) => (at as Record<PropertyKey, unknown> | undefined)?.[step],
    config,
  );
  throw new FormatError(
    { file },
    `${key} is ${shownValue(found)}: ${issueText(issue)}`,
    "config.json must be the one published with the weights",
  );
}

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
