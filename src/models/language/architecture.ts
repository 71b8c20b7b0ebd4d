import { z } from "zod";
import { FormatError, InternalError } from "../../base/errors.ts";
import { issueText } from "../../base/json.ts";
import { quotedText, shownValue } from "../../base/message-text.ts";
import { keysOf } from "../../base/record.ts";
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
  /** True (default) computes recurrences by a loop over the tokens, false by one operator for all tokens. */
  readonly loops?: boolean;
  /** Dropout of activations, in a graph for training; absent elsewhere. */
  readonly dropout?: Dropout | undefined;
  /**
   * Called while a training graph is built, with the layers of each expert and a bool scalar: true if a token
   * of the batch was routed to them.
   */
  readonly onRouted?: ((layers: readonly Linear[], isUsed: Sym) => void) | undefined;
}

/** Outputs of a language model's forward pass. Axes as in `ForwardInput`. */
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

/** Distribution of the initial values of a tensor. */
export type Initializer =
  | { readonly kind: "normal"; readonly std: number }
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "constant"; readonly value: number }
  | {
      readonly kind: "quantile";
      /** The quantile function of the distribution, called with u uniform in [0, 1). */
      readonly quantile: (u: number) => number;
    }
  | {
      readonly kind: "values";
      /** Values computed in JavaScript, such as position ids. */
      readonly values: () => Float32Array | BigInt64Array;
    };

/** Reads a tensor of a checkpoint by its declared name, or its rows [from, to) along the first axis. */
export type ReadTensor = (name: string, rows?: readonly [number, number]) => Promise<NdArray>;

/** A language model of the sizes in its config.json: parameters, forward pass, initialisation. */
export interface Architecture {
  /** d: width of a token's hidden state. */
  readonly width: number;
  readonly layers: number;
  /** v: number of logits per token. */
  readonly vocabulary: number;
  /** Maximum number of tokens, special tokens included; Infinity if there is no limit. */
  readonly maxTokens: number;
  /** Required tensors, by the names that checkpoints use. */
  readonly tensors: readonly DeclaredTensor[];
  /** Names of further tensors that a checkpoint may contain. */
  readonly ignored: readonly RegExp[];
  /**
   * True if the graph reads `mask`. Without it, rows must have equal length, or be padded as in the original.
   */
  readonly takesMask: boolean;
  /** True if the graph depends on the number of tokens, which must then be a number. */
  readonly fixedLength: boolean;
  /**
   * Builds the graph for rows of `tokens` tokens. Its parameters have the names in `tensors` and `derive`.
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
  /**
   * Estimated bytes that a program needs for the derived tensors, for values computed from them alone, and
   * for constants.
   */
  derivedBytes?(tokens: number): number;
  /** Declares the classification head of the family's official code. */
  classifier(labels: number): ClassifierHead;
  /** Names of the modules whose weights LoRA adapts: "bert.encoder". */
  readonly adaptedModules: readonly string[];
  /**
   * The same model with LoRA factors added to the weights of `adaptedModules`; the factors are parameters of
   * its graph.
   */
  withLora(factors: LoraAdapters): Architecture;
  /**
   * The same model with one tensor per layer where layers share a weight. Merging LoRA factors into the
   * weights requires it, because each layer has its own factors. Absent if no adapted layer shares its
   * weight.
   */
  untied?(): Architecture;
  /** Initial values of a tensor, as in the family's official code. */
  initializer(tensor: DeclaredTensor): Initializer;
  /** Float32 values alive at once per token of a batch, for the memory estimate. */
  readonly liveValuesPerToken: number;
  /** Float32 values alive at once per pair of tokens of a row, for models with attention. */
  readonly liveValuesPerPair?: number;
  /** Largest number of rows per run for which the states of the token loop fit into the CPU cache. */
  readonly maxRowsPerRun?: number;
}

/** The part of an architecture that likelihoods and embeddings use. */
export type QueriedArchitecture = Pick<
  Architecture,
  "vocabulary" | "forward" | "forwardAt" | "liveValuesPerToken" | "liveValuesPerPair"
>;

/**
 * Schema of a size: an integer from 1 to `most`. The bound exceeds every published model and keeps a damaged
 * file from exhausting the memory.
 */
export const sizeSchema = (most = 1 << 20) => z.number().int().min(1).max(most);

/** Schema of an epsilon: above 0, at most 1. */
export const epsilonSchema = () => z.number().positive().max(1);

/** Schema of an activation function, by its name in Transformers. */
export const activationSchema = (fallback: keyof typeof ACTIVATIONS) =>
  z
    .enum(keysOf(ACTIVATIONS))
    .default(fallback)
    .transform((name): Activation => ACTIVATIONS[name]);

/** Schema of a dropout probability; 0.1 if absent, as in Transformers. */
export const dropoutRateSchema = () => z.number().min(0).lt(1).default(0.1);

/** Keys of the object that a schema describes, also below `refine` and `transform`. */
function schemaKeys(schema: z.core.$ZodType): ReadonlySet<string> {
  if (schema instanceof z.ZodObject) return new Set(Object.keys(schema.shape));
  if (schema instanceof z.ZodPipe) return schemaKeys(schema.in);
  if (schema instanceof z.ZodUnion) return new Set(schema.options.flatMap((each) => [...schemaKeys(each)]));
  throw new InternalError("the schema of a config.json is not of an object");
}

/** Keys that change the forward pass: an architecture whose schema lacks one cannot ignore it. */
const FORWARD_KEYS = [
  "rope_parameters",
  "rope_scaling",
  "partial_rotary_factor",
  "layer_types",
  "quantization_config",
  // of PlantCAD2, whose layers are Mamba-2
  "layer_cfg",
];

/**
 * Parses config.json by its schema. Keys that the schema lacks are ignored, except for `FORWARD_KEYS`.
 *
 * @throws {FormatError} naming the key, its value and what is expected
 */
export function parseConfig<S extends z.ZodType>(schema: S, config: unknown, file: string): z.output<S> {
  const read = schemaKeys(schema);
  const given = Object.entries(config ?? {});
  const unread = given.find(([key, value]) => value !== null && FORWARD_KEYS.includes(key) && !read.has(key));
  if (unread !== undefined) {
    throw new FormatError(
      { file },
      `"${unread[0]}" is ${shownValue(unread[1])}: expected null, as this architecture has no such choice`,
      "serve the model by an adapter: docs/adapters.md",
    );
  }
  const result = schema.safeParse(config);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const { path } = issue;
  const key = path.length === 0 ? "the file" : quotedText(path.join("."));
  const found = path.reduce<unknown>(
    (at, step) => (typeof at === "object" && at !== null ? Reflect.get(at, step) : undefined),
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

/** Schema of `layer_types` in config.json, which Transformers writes since version 4.53. */
export const layerTypesSchema = () => z.array(z.enum(TYPES)).nullish();

/** Condition and error for `refine` of a schema. @param key  key of config.json that the error names */
export const refinement = <Config>(
  isValid: (c: Config) => boolean,
  key: string,
  error: string,
): [isValid: (c: Config) => boolean, issue: { path: string[]; error: string }] => [
  isValid,
  { path: [key], error },
];

/** There is one type per layer. */
export const LAYER_TYPES_FIT = refinement(
  (c: {
    readonly layer_types?: readonly LayerType[] | null | undefined;
    readonly num_hidden_layers: number;
  }) => c.layer_types == null || c.layer_types.length === c.num_hidden_layers,
  "layer_types",
  "expected one type per layer",
);
