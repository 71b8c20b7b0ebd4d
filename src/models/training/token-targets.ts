import { Pcg64 } from "../../base/pcg64.ts";
import { integerBelow, seedOf } from "../../base/random.ts";
import { scoredSpan } from "../../dna/tokenizers/base-map.ts";
import type { Tokenizer } from "../../dna/tokenizers/tokenizer.ts";
import type { Feeds } from "../../net/train/batches.ts";
import { collate, maskId, type Row } from "../language/collate.ts";

/** Input tokens, labels and loss mask of a row in pretraining. */
export interface TokenTargets {
  /** Input tokens, [tokens]. */
  readonly ids: Int32Array;
  /** Label of each position. */
  readonly labels: Int32Array;
  /** 1 at positions that enter the loss, else 0. */
  readonly counted: Uint8Array;
}

/**
 * Next-token labels. Only tokens scored by a likelihood enter the loss: no special tokens, and nothing after
 * the last base.
 */
export function nextTokenTargets(tokenizer: Tokenizer, { ids }: Row): TokenTargets {
  const { start, end } = scoredSpan(tokenizer, ids);
  const labels = new Int32Array(ids.length);
  labels.set(ids.subarray(1));
  const counted = new Uint8Array(ids.length);
  for (let position = Math.max(start, 1); position < end; position++) counted[position - 1] = 1;
  return { ids, labels, counted };
}

/** Masking for masked-token prediction. */
export interface Masking {
  /** Probability of selecting each token other than special ones. */
  readonly share: number;
  /** Masks depend on the seed, the epoch and the row's 0-based index alone. */
  readonly seed: number;
  readonly epoch: number;
}

/**
 * Masks tokens independently: of the selected tokens 80 % become the mask, 10 % a token drawn uniformly from
 * the vocabulary, 10 % stay (Devlin et al. 2019, arXiv:1810.04805, section 3.1). Special tokens are never
 * selected.
 *
 * @param row  0-based index of the row among all rows
 * @throws {InputError} when the tokenizer has no mask token
 */
export function maskedTokenTargets(
  tokenizer: Tokenizer,
  { ids }: Row,
  row: number,
  { share, seed, epoch }: Masking,
): TokenTargets {
  const rng = new Pcg64(seedOf([seed, "hidden tokens", epoch, row]));
  const mask = maskId(tokenizer);
  const { start, end } = scoredSpan(tokenizer, ids);
  const shown = ids.slice();
  const counted = new Uint8Array(ids.length);
  for (let position = start; position < end; position++) {
    if (rng.nextFloat64() >= share) continue;
    counted[position] = 1;
    const u = rng.nextFloat64();
    if (u < 0.8) shown[position] = mask;
    else if (u < 0.9) shown[position] = drawnToken(tokenizer, rng);
  }
  return { ids: shown, labels: ids, counted };
}

function drawnToken({ special, vocabularySize }: Tokenizer, rng: Pcg64): number {
  const specials = new Set(Object.values(special));
  for (;;) {
    const id = integerBelow(rng, vocabularySize);
    if (!specials.has(id)) return id;
  }
}

/**
 * Inputs of a training step: ids and mask [b, t], padded on the right, labels int32 [b, t], and weights
 * float32 [b, t], equal at all positions in the loss and summing to 1, else 0.
 */
export function feedsOf(targets: readonly TokenTargets[], pad: number): Feeds {
  const batch = collate(targets, { pad });
  const { shape } = batch.ids;
  const tokens = shape[1];
  const labels = new Int32Array(batch.ids.data.length);
  const weights = new Float32Array(labels.length);
  const total = targets.reduce((sum, { counted }) => sum + countedIn(counted), 0);
  targets.forEach((one, i) => {
    labels.set(one.labels, i * tokens);
    one.counted.forEach((counts, position) => {
      weights[i * tokens + position] = counts / Math.max(total, 1);
    });
  });
  return {
    ...batch,
    labels: { dtype: "int32", shape, data: labels },
    weights: { dtype: "float32", shape, data: weights },
  };
}

/** Number of positions in the loss. */
export const countedIn = (counted: Uint8Array): number => counted.reduce((sum, one) => sum + one, 0);
