import { z } from "zod";
import { FormatError } from "../../base/errors.ts";
import { quotedText, shownValue } from "../../base/message-text.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import type { Dim } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import type { Dropout } from "../../net/nn/dropout.ts";
import type { Linear } from "../../net/nn/linear.ts";
import type { LoraAdapters } from "./lora.ts";
import type { DeclaredTensor } from "./parameters.ts";

/** What the forward pass of a language model is given. Axes: b batch · t tokens · d width · v vocabulary. */
export interface ForwardInput {
  /** int32 [b, t] */
  readonly ids: Sym;
  /** float32 [b, t], 1 for a token and 0 for padding; absent for a model that takes no attention mask. */
  readonly mask?: Sym | undefined;
  /** Whether the device is fast at loops over the tokens; it is where this is absent. */
  readonly loops?: boolean;
  /** Dropout of activations, in a graph for training; absent elsewhere. */
  readonly dropout?: Dropout | undefined;
  /** Told, in a graph for training, of layers that a batch may pass by: whether one came to them, a bool without axes. */
  readonly reached?: ((layers: readonly Linear[], whether: Sym) => void) | undefined;
}

export interface ForwardOutput {
  /** What `hidden_states` lists in the original, first the embeddings: each [b, t, d]. */
  readonly hiddenStates: readonly Sym[];
  /** The state that embeddings are taken from: [b, t, d']. */
  readonly lastHidden: Sym;
  /** [b, t, v] */
  readonly logits: Sym;
}

/** The head that fine-tuning puts on the model. Its tensors are absent from pretrained checkpoints. */
export interface ClassifierHead {
  readonly tensors: readonly DeclaredTensor[];
  /** [b, labels], from the pooled state; how it is pooled is the family's own. */
  logits(output: ForwardOutput, input: ForwardInput): Sym;
}

/** How a tensor of an untrained model is drawn. */
export type InitialLaw =
  | { readonly kind: "normal"; readonly deviation: number }
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "constant"; readonly value: number }
  /** A function of a number drawn evenly from [0, 1). */
  | { readonly kind: "drawn"; readonly value: (u: number) => number }
  | { readonly kind: "values"; readonly values: () => Float32Array | BigInt64Array };

/** Reads tensors of a checkpoint by their declared names. */
export type ReadTensor = (name: string, rows?: readonly [number, number]) => Promise<NdArray>;

/** One language model at the sizes that its config.json gives: what to load, what to compute, how to begin untrained. */
export interface Architecture {
  readonly width: number;
  readonly layers: number;
  /** Rows of the logits. */
  readonly vocabulary: number;
  /** Most tokens the model can take, special ones included; Infinity where nothing limits it. */
  readonly maxTokens: number;
  /** Tensors a checkpoint must hold, by the names it uses. */
  readonly tensors: readonly DeclaredTensor[];
  /** Names a checkpoint may hold beside them. */
  readonly ignored: readonly RegExp[];
  /** Takes `mask`; a model without it is given rows of equal length, or rows padded as the original padded them. */
  readonly takesMask: boolean;
  /** The number of tokens must be known when the graph is built. */
  readonly fixedLength: boolean;
  /** Has a recurrence along the tokens: where the device is slow at loops, their number must be known as well. */
  readonly recurrent?: boolean;
  /** The graph for rows of `tokens` tokens. Parameters are named as in `tensors`, derived ones as in `derive`. */
  forward(input: ForwardInput, tokens: Dim): ForwardOutput;
  /**
   * The same with the last layer and the head computed for one token of each row: `lastHidden` [b, 1, d'] and `logits`
   * [b, 1, v]. Absent where nothing is saved by it.
   *
   * @param positions  int32 [b], 0-based
   */
  forwardAt?(input: ForwardInput, positions: Sym, tokens: Dim): ForwardOutput;
  /** Constants computed once from the checkpoint, by parameter name, for rows of this many tokens. */
  derive?(tokens: number, read: ReadTensor): Promise<ReadonlyMap<string, NdArray>>;
  /** Bytes that a program holds of the derived tensors, of what depends on them alone, and of constants. */
  derivedBytes?(tokens: number): number;
  classifier(labels: number): ClassifierHead;
  /** Names of the modules that fine-tuning adapts with LoRA; everything in them is frozen. */
  readonly wrapped: readonly string[];
  /** The same model with factors beside the weights of these modules, which are parameters of its graph as well. */
  adapted(factors: LoraAdapters): Architecture;
  /**
   * The same model with every weight that several layers share as a tensor of each layer's own, for LoRA factors that are
   * merged into the weights: each layer has factors of its own. Absent where no adapted layer shares its weight.
   */
  untied?(): Architecture;
  initial(tensor: DeclaredTensor): InitialLaw;
  /** Float32 values alive at once per token of a batch, for the estimate of memory. */
  readonly liveValuesPerToken: number;
  /** The same per pair of tokens of one row, where every token attends to every other. */
  readonly liveValuesPerPair?: number;
  /** Rows run together beyond which each takes longer, since the states of a loop no longer fit the processor's cache. */
  readonly mostRowsPerRun?: number;
}

/** What questions over tokens need of an architecture. */
export type QueriedArchitecture = Pick<
  Architecture,
  "vocabulary" | "forward" | "forwardAt" | "liveValuesPerToken" | "liveValuesPerPair"
>;

/** A size: a whole number from 1 to a bound no model comes near, so that a damaged file cannot ask for all memory. */
export const sizeSchema = (most = 1 << 20) => z.number().int().min(1).max(most);

/** A small positive real, as an epsilon is. */
export const epsilonSchema = () => z.number().positive().max(1);

/** The rate of a dropout, 0.1 where it is not said, as Transformers has it. */
export const dropoutRateSchema = () => z.number().min(0).lt(1).default(0.1);

/**
 * Reads a config.json by its schema; keys the schema does not name are ignored.
 *
 * @throws {FormatError} naming the key, what came and what was expected
 */
export function parseConfig<S extends z.ZodType>(schema: S, config: unknown, file: string): z.output<S> {
  const result = schema.safeParse(config);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0];
  const key = path.length === 0 ? "the file" : quotedText(path.join("."));
  const came = path.reduce<unknown>(
    (at, step) => (at as Record<PropertyKey, unknown> | undefined)?.[step],
    config,
  );
  throw new FormatError(
    { file },
    `${key} is ${shownValue(came)}: ${message}`,
    "config.json must be the one published with the weights",
  );
}
