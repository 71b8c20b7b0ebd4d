import { elementCount } from "../../net/arrays/array.ts";
import { input } from "../../net/graph/build.ts";
import { countOperations } from "../../net/graph/operation-count.ts";
import type { LanguageModelCard } from "../language/card.ts";

/** Size of a language model, from its configuration alone. */
export interface CheckpointSize {
  /** Values of all weights, each counted once; without buffers and heads that are not used. */
  readonly parameters: number;
  /**
   * 10⁹ floating-point operations of one forward pass over a sequence, with the logits of every token. The
   * likelihood of a causal model takes one pass, that of a masked model one per token.
   */
  readonly gigaflop: number;
}

/**
 * Computes the size of a model.
 *
 * @param tokens  of the sequence, special tokens included
 * @throws {FormatError} when the configuration is not valid
 */
export function checkpointSize(
  card: LanguageModelCard,
  config: Readonly<Record<string, unknown>>,
  tokens: number,
): CheckpointSize {
  const architecture = card.architecture(config, "config.json");
  const weights = architecture.tensors.filter(({ buffer }) => buffer !== true);
  const { logits } = architecture.forward({ ids: input("ids", "int32", [1, tokens]) }, tokens);
  const { products, others } = countOperations([logits], {});
  return {
    parameters: weights.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    gigaflop: (products + others) / 1e9,
  };
}
