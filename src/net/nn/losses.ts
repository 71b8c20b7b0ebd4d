import {
  add,
  cast,
  gatherElements,
  log,
  logSoftmax,
  mul,
  neg,
  reduceMean,
  reduceSum,
  squeeze,
  sub,
  unsqueeze,
} from "../graph/build.ts";
import type { Sym } from "../graph/sym.ts";

/**
 * Cross-entropy −log softmax(logits)[label] of each row.
 *
 * @param logits  [b, classes]
 * @param labels  int32 [b], 0 ≤ label < classes
 * @returns       [b], nats
 */
export function crossEntropyPerRow(logits: Sym, labels: Sym): Sym {
  const picked = gatherElements(logSoftmax(logits), unsqueeze(cast(labels, "int64"), 1), 1);
  return neg(squeeze(picked, 1));
}

/** Mean of `crossEntropyPerRow` over the batch. */
export const crossEntropy = (logits: Sym, labels: Sym) => reduceMean(crossEntropyPerRow(logits, labels), [0]);

/**
 * Weighted sum of cross-entropies, Σ weight · (−log softmax(logits)[label]), over all tokens of a batch. With
 * weights that sum to 1 it is a mean.
 *
 * @param logits   [b, t, classes]
 * @param labels   int32 [b, t], 0 ≤ label < classes, also for a token of weight 0
 * @param weights  float32 [b, t]
 * @returns        scalar, nats
 */
export function weightedCrossEntropy(logits: Sym, labels: Sym, weights: Sym): Sym {
  const picked = gatherElements(logSoftmax(logits), unsqueeze(cast(labels, "int64"), 2), 2);
  return neg(reduceSum(mul(squeeze(picked, 2), weights), [0, 1]));
}

/**
 * Mean squared error of log counts: the mean of (predicted − ln(1 + counts))².
 *
 * @param predicted  [b]
 * @param counts     [b], reads, 0 or more
 */
export function logCountError(predicted: Sym, counts: Sym): Sym {
  return meanSquaredError(predicted, log(add(counts, 1)));
}

/** Mean squared error: the mean of (a − b)² over all elements. */
export function meanSquaredError(a: Sym, b: Sym): Sym {
  const difference = sub(a, b);
  return reduceMean(
    mul(difference, difference),
    difference.shape.map((_, axis) => axis),
  );
}

/**
 * Multinomial negative log-likelihood of read profiles: the mean over the batch of −Σ_t counts[t] ·
 * log softmax(logits)[t]. The multinomial coefficient, which does not depend on parameters, is left out;
 * losses that the original prints include it.
 *
 * @param logits  [b, t]
 * @param counts  [b, t], reads, 0 or more
 * @returns       nats
 * @see Avsec et al. 2021, doi:10.1038/s41588-021-00782-6
 */
export function multinomialError(logits: Sym, counts: Sym): Sym {
  return reduceMean(neg(reduceSum(mul(counts, logSoftmax(logits)), [1])), [0]);
}
