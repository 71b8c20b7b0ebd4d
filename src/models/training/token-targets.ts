import { Pcg64 } from "../../base/pcg64.ts";
import { integerBelow, seedOf } from "../../base/random.ts";
import { scoredSpan } from "../../dna/tokenizers/base-map.ts";
import type { Tokenizer } from "../../dna/tokenizers/tokenizer.ts";
import type { Feeds } from "../../net/train/batches.ts";
import { collate, maskId, type Row } from "../language/collate.ts";

/** What a language model is shown of a row in training, and which tokens it is to guess where. */
export interface TokenTargets {
  /** As shown, [tokens]. */
  readonly ids: Int32Array;
  /** The token to be guessed at each place. */
  readonly labels: Int32Array;
  /** 1 where the guess counts, else 0. */
  readonly counted: Uint8Array;
}

/** The token after each one. Only tokens that a likelihood scores count: no special ones, and not what follows the last. */
export function nextTokenTargets(tokenizer: Tokenizer, { ids }: Row): TokenTargets {
  const { start, end } = scoredSpan(tokenizer, ids);
  const labels = new Int32Array(ids.length);
  labels.set(ids.subarray(1));
  const counted = new Uint8Array(ids.length);
  for (let place = Math.max(start, 1); place < end; place++) counted[place - 1] = 1;
  return { ids, labels, counted };
}

/** How tokens are hidden from a masked model. */
export interface Masking {
  /** Probability with which each token that is no special one is to be guessed. */
  readonly share: number;
  /** The rows' own places, 0-based, and the epoch: which tokens are hidden depends on these and the seed alone. */
  readonly seed: number;
  readonly epoch: number;
}

/**
 * Some tokens hidden, each independently: of those to be guessed 80 % are shown as the mask, 10 % as another token drawn
 * evenly from the vocabulary, 10 % as they are (Devlin et al. 2019, arXiv:1810.04805, section 3.1). Special tokens stay.
 *
 * @param row  the row's 0-based place among all rows
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
  for (let place = start; place < end; place++) {
    if (rng.nextFloat64() >= share) continue;
    counted[place] = 1;
    const u = rng.nextFloat64();
    if (u < 0.8) shown[place] = mask;
    else if (u < 0.9) shown[place] = drawnToken(tokenizer, rng);
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
 * Inputs of a training step: ids and mask [b, t], padded on the right, labels int32 [b, t], and weights float32 [b, t] that
 * sum to 1 over the guesses that count; all 0 where none does.
 */
export function feedsOf(guesses: readonly TokenTargets[], pad: number): Feeds {
  const batch = collate(guesses, { pad });
  const { shape } = batch.ids;
  const tokens = shape[1];
  const labels = new Int32Array(batch.ids.data.length);
  const weights = new Float32Array(labels.length);
  const total = guesses.reduce((sum, { counted }) => sum + countedIn(counted), 0);
  guesses.forEach((one, i) => {
    labels.set(one.labels, i * tokens);
    one.counted.forEach((counts, place) => {
      weights[i * tokens + place] = counts / Math.max(total, 1);
    });
  });
  return {
    ...batch,
    labels: { dtype: "int32", shape, data: labels },
    weights: { dtype: "float32", shape, data: weights },
  };
}

/** Guesses that count. */
export const countedIn = (counted: Uint8Array): number => counted.reduce((sum, one) => sum + one, 0);
